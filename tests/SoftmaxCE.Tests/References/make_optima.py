"""Optimal objective values of softmax regression, to at least 12 significant digits.

Objective: (1/n) Σ_i loss_i + λ/2 ‖W‖²  (intercepts unpenalised, features raw as in data/*.csv, double precision).
Method: Newton with the full Hessian, damped; stops when the gradient norm is below 1e-11 or stops falling.
The duality gap at the result is ‖∇‖²/(2λ) once the intercept part of the gradient is zero, so it is printed too.
Writes optima.json. Needs python3-numpy, python3-scipy, python3-pandas. Run: python3 make_optima.py DATADIR OUT name:λ,λ ...
"""
import json, sys, os, gzip
import numpy as np, pandas as pd, scipy.linalg as sl


def load(folder, name):
    d = pd.read_csv(os.path.join(folder, name + ".csv")).to_numpy(float)
    return np.ascontiguousarray(d[:, 1:]), d[:, 0].astype(int)


def objective(X1, y, W, reg):
    Z = X1 @ W; m = Z.max(1, keepdims=True); E = np.exp(Z - m); s = E.sum(1, keepdims=True)
    f = ((np.log(s) + m).ravel() - Z[np.arange(len(y)), y]).mean() + 0.5 * (reg * W * W).sum()
    return f, E / s


def newton(X, y, lam):
    n, d = X.shape; k = y.max() + 1
    scale = np.abs(X).max(0); scale[scale == 0] = 1
    X1 = np.hstack([X / scale, np.ones((n, 1))]); p = d + 1            # solve in scaled columns; penalty follows
    reg = np.zeros((p, 1)); reg[:d, 0] = lam / scale ** 2
    Y = np.eye(k)[y]; W = np.zeros((p, k)); f, P = objective(X1, y, W, reg); best = np.inf
    for it in range(200):
        G = X1.T @ (P - Y) / n + reg * W
        gn = np.linalg.norm(G)
        H = np.empty((k * p, k * p))
        for i in range(k):
            for j in range(i + 1):
                B = (X1 * (P[:, i] * ((i == j) - P[:, j]))[:, None]).T @ X1 / n
                H[i*p:(i+1)*p, j*p:(j+1)*p] = B; H[j*p:(j+1)*p, i*p:(i+1)*p] = B.T
        H[np.diag_indices(k * p)] += np.tile(reg[:, 0], k)
        # classes share a null direction in the intercepts; a tiny ridge on it does not move the optimum
        for i in range(k):
            for j in range(k): H[i*p+d, j*p+d] += 1.0 / k
        S = sl.solve(H, -G.T.ravel(), assume_a="pos").reshape(k, p).T
        dec = -(G * S).sum(); t = 1.0
        while t > 1e-10:
            fn, Pn = objective(X1, y, W + t * S, reg)
            if fn <= f - 1e-4 * t * dec + 1e-15 * abs(f): break
            t *= 0.5
        if t <= 1e-10: break
        W = W + t * S; f, P = fn, Pn
        if dec < 1e-24: break
    G = X1.T @ (P - Y) / n + reg * W
    gap = ((G[:d] * scale[:, None]) ** 2).sum() / (2 * lam)            # raw-column gradient = scaled-column gradient * scale
    acc = (P.argmax(1) == y).mean()
    return dict(objective=float(f), accuracy=float(acc), gradientNorm=float(np.linalg.norm(G)), dualityGap=float(gap), iterations=it + 1,
                meanLoss=float(f - 0.5 * (reg * W * W).sum()))


if __name__ == "__main__":
    folder, out = sys.argv[1], sys.argv[2]; rows = []
    for spec in sys.argv[3:]:
        name, lams = spec.split(":")
        X, y = load(folder, name)
        for lam in map(float, lams.split(",")):
            r = newton(X, y, lam); rows.append({"data": name, "rows": len(y), "features": X.shape[1], "classes": int(y.max() + 1), "l2": lam, **r}); print(rows[-1], flush=True)
    json.dump(rows, open(out, "w"), indent=1)
