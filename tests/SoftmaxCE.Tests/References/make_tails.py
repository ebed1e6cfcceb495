"""Upper tails of the normal and chi-square distributions, 25 digits.

Needs: python3-mpmath. Run: python3 make_tails.py
"""
import json, os
from mpmath import mp, mpf, erfc, gammainc, nstr, sqrt
mp.dps = 60
HERE = os.path.dirname(os.path.abspath(__file__))
TINY = mpf(2) ** -1022

def digits(x): return nstr(x, 25)

normal = []
for z in [0.0, 1e-300, 1e-9, 0.1, 0.5, 0.75, 0.9999999999999999, 1.0, 1.2, 1.959963984540054, 2.5, 3.3, 4.75, 6.1, 8.7, 8.9, 12.4, 19.9, 26.7, 31.3, 36.6, 37.5]:
    for signed in ([z, -z] if z else [z]):
        normal.append({"z": signed, "upper": digits(erfc(mpf(signed) / sqrt(mpf(2))) / 2)})

chi = []
for df in [1, 2, 3, 4, 5, 7, 10, 29, 30, 31, 33, 34, 35, 36, 60, 101, 500, 1999, 7056]:
    for ratio in [1e-3, 0.1, 0.5, 0.9, 0.999, 1.0, 1.001, 1.1, 1.5, 3.0, 10.0, 40.0, 200.0]:
        x = float(df * ratio)
        upper = gammainc(mpf(df) / 2, mpf(x) / 2, regularized=True)
        if upper > TINY: chi.append({"x": x, "degrees": df, "upper": digits(upper)})
chi += [{"x": 576.847926921891, "degrees": 30, "upper": digits(gammainc(mpf(15), mpf(576.847926921891) / 2, regularized=True))}]
json.dump({"normal": normal, "chiSquared": chi}, open(os.path.join(HERE, "tails.json"), "w"), indent=1)
