"""Times scikit-learn's multinomial LogisticRegression on one data set, solver by solver with falling tolerances, until an objective is reached.

Run by the benchmark (--peers), which writes the folder and scores the results itself. Needs python3 with numpy, scipy and scikit-learn.
Usage: sklearn_training.py FOLDER. FOLDER/problem.json says what the files hold; every fit writes FOLDER/fitK.bin (coefficients, then intercepts,
doubles) and a line of json to standard output.
"""
import json, os, sys, time, warnings
import numpy as np, scipy.sparse, sklearn
from sklearn.linear_model import LogisticRegression

warnings.simplefilter("ignore")
folder = sys.argv[1]
p = json.load(open(os.path.join(folder, "problem.json")))
read = lambda name, kind: np.fromfile(os.path.join(folder, name), kind)
n, d, y = p["rows"], p["columns"], read("labels.bin", np.int32)
x = read("values.bin", np.float64)
if p["sparse"]: x = scipy.sparse.csr_matrix((x, read("columns.bin", np.int32), read("starts.bin", np.int64)), shape=(n, d))
else: x = x.reshape(n, d)


def objective(w, b):
    z = np.asarray(x @ w.T) + b
    top = z.max(1)
    loss = (np.log(np.exp(z - top[:, None]).sum(1)) + top - z[np.arange(n), y]).mean()
    return loss + p["l2"] / 2 * (w**2).sum() + p["l1"] * np.abs(w).sum()


print(json.dumps({"version": sklearn.__version__}), flush=True)
number = 0
for solver, tolerances, iterations in p["solvers"]:
    for tolerance in tolerances:
        strength = {"penalty": "l1", "C": 1 / (n * p["l1"])} if p["l1"] > 0 else {"C": 1 / (n * p["l2"])}
        best = 1e99
        for _ in range(5):
            model = LogisticRegression(multi_class="multinomial", solver=solver, tol=tolerance, max_iter=iterations, random_state=0, **strength)
            start, cpu = time.perf_counter(), time.process_time()
            model.fit(x, y)
            wall = time.perf_counter() - start
            if wall < best: best, cpu_of_best = wall, time.process_time() - cpu
            if wall > 0.5: break
        w, b = model.coef_.astype(float), model.intercept_.astype(float)
        if len(w) == 1: w, b = np.vstack([-w, w]) / 2, np.hstack([-b, b]) / 2
        np.concatenate([w.ravel(), b]).tofile(os.path.join(folder, f"fit{number}.bin"))
        print(json.dumps({"solver": solver, "tolerance": tolerance, "seconds": best, "cpu": cpu_of_best, "iterations": int(model.n_iter_.max())}), flush=True)
        number += 1
        if objective(w, b) <= p["enough"] or cpu_of_best > p["longest"]: break
