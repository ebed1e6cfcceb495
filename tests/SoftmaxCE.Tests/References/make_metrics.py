"""Classification scores from scikit-learn; those it lacks are written out in NumPy, as formulas, below.

Writes metrics.json. Needs: python3-sklearn (Debian package; made with 1.2.1). Run: /usr/bin/python3 make_metrics.py
"""
import json, math, os, warnings
import numpy as np
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from scipy.optimize import brentq
from scipy.special import softmax

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20)
BINS = 15


def text(v):
    if isinstance(v, (list, tuple, np.ndarray)): return [text(x) for x in v]
    v = float(v)
    return "nan" if math.isnan(v) else "inf" if v == math.inf else "-inf" if v == -math.inf else v


def ranks(p, y):                                    # classes before the label; on ties the lower class comes first
    own = p[np.arange(len(y)), y][:, None]; c = np.arange(p.shape[1])
    return ((p > own) | ((p == own) & (c < y[:, None]))).sum(1)


def equal_width_errors(conf, hit, w):
    edges = np.arange(BINS + 1) / BINS
    b = np.clip(np.searchsorted(edges, conf) - 1, 0, BINS - 1)
    ece = mce = sq = debiased = 0.0
    for k in range(BINS):
        m = (b == k) & (w > 0)
        if not m.any(): continue
        wk = w[m]; a = np.average(hit[m], weights=wk); g = a - np.average(conf[m], weights=wk); s = wk.sum() / w.sum(); n = wk.sum() ** 2 / (wk ** 2).sum()
        ece += s * abs(g); mce = max(mce, abs(g)); sq += s * g * g
        if n >= 2: debiased += s * (g * g - a * (1 - a) / (n - 1))
    return {"expected": ece, "maximum": mce, "rootMeanSquare": math.sqrt(sq), "debiasedSquared": debiased}


def areas(p, y, w):
    out, c = {}, p.shape[1]
    def binary(t, s, sw): return sk.roc_auc_score(t, s, sample_weight=sw) if 0 < (t * sw).sum() < sw.sum() else math.nan
    per = [binary((y == k).astype(int), p[:, k], w) for k in range(c)]
    out["oneVersusRest"] = text(per)
    present = len(set(y)) == c
    if c > 2 and present:
        full = np.ones(len(y)) if w is None else w
        out["oneVersusRestMacro"] = text(sk.roc_auc_score(y, p, multi_class="ovr", average="macro", sample_weight=full))
        out["oneVersusRestWeighted"] = text(sk.roc_auc_score(y, p, multi_class="ovr", average="weighted", sample_weight=full))
        if (w == 1).all():
            out["oneVersusOneMacro"] = text(sk.roc_auc_score(y, p, multi_class="ovo", average="macro"))
            out["oneVersusOneWeighted"] = text(sk.roc_auc_score(y, p, multi_class="ovo", average="weighted"))
    return out


def best_temperature(p, y, w):                      # root of the slope of the log-loss in 1/T, for logits ln p
    z = np.log(p); rows = np.arange(len(y))
    def slope(b): return np.average((softmax(b * z, axis=1) * z).sum(1) - z[rows, y], weights=w)
    return None if slope(1e-3) >= 0 or slope(1e3) <= 0 else 1 / brentq(slope, 1e-3, 1e3, xtol=1e-14, rtol=1e-14)


def case(name, p, y, weights=None):
    p = np.asarray(p, float); y = np.asarray(y); n, c = p.shape
    w = np.ones(n) if weights is None else np.asarray(weights, float)
    pred = p.argmax(1); every = np.arange(c); hit = pred == y
    used = sorted(set(y[w > 0]) | set(pred[w > 0]))
    one = dict(sample_weight=w)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        own = p[np.arange(n), y]
        loss = sk.log_loss(y, p, labels=every, **one) if own[w > 0].min() > 0 else math.inf
        prior = np.bincount(y, weights=w, minlength=c) / w.sum()
        prior_loss = 0.0 - sum(q * math.log(q) for q in prior if q > 0)
        kept = w > 0
        per = sk.precision_recall_fscore_support(y, pred, labels=every, zero_division=0, **one)
        avg = {a: text(sk.precision_recall_fscore_support(y, pred, labels=used, average=a, zero_division=0, **one)[:3]) for a in ("macro", "micro", "weighted")}
        r = ranks(p, y)
        out = {
            "name": name, "classes": c, "probabilities": text(p.ravel()), "labels": y.tolist(), "weights": None if weights is None else text(w),
            "logLoss": text(loss), "priorLogLoss": text(prior_loss), "logLossReduction": text(np.float64(1) - np.float64(loss) / np.float64(prior_loss)),
            "accuracy": text(sk.accuracy_score(y, pred, **one)), "balancedAccuracy": text(sk.balanced_accuracy_score(y[kept], pred[kept], sample_weight=w[kept])),
            "confusion": text(sk.confusion_matrix(y, pred, labels=every, **one).ravel()),
            "precision": text(per[0]), "recall": text(per[1]), "f1": text(per[2]), "support": text(per[3]), "averages": avg,
            "matthews": text(sk.matthews_corrcoef(y, pred, **one)), "kappa": text(sk.cohen_kappa_score(y, pred, labels=every, **one)),
            "brier": text(np.average(((p - np.eye(c)[y]) ** 2).sum(1), weights=w)),
            "topK": [text(np.average(r < k, weights=w)) for k in range(1, c + 1)],
            "calibration": {k: text(v) for k, v in equal_width_errors(p.max(1), hit.astype(float), w).items()}, "areas": areas(p, y, w),
        }
        if c == 2: assert abs(out["brier"] / 2 - sk.brier_score_loss(y, p[:, 1], pos_label=1, **one)) < 1e-15
        if p.min() > 0: out["temperature"] = best_temperature(p, y, w)
        distinct = all(len(set(row)) == c for row in p)
        if distinct and c > 2:
            for k in range(1, c): assert abs(out["topK"][k - 1] - sk.top_k_accuracy_score(y, p, k=k, labels=every, **one)) < 1e-15
        if weights is None and n >= 30:
            for key, strategy, bins in (("classCurveEqualWidth", "uniform", 10), ("classCurveEqualMass", "quantile", 5)):
                t, q = calibration_curve((y == 0).astype(int), p[:, 0], n_bins=bins, strategy=strategy)
                out[key] = {"bins": bins, "accuracy": text(t), "confidence": text(q)}
    return out


def skilled(n, c, sharpness, missing=()):
    y = rng.integers(0, c, n)
    for m in missing: y[y == m] = (m + 1) % c
    z = rng.normal(0, 1, (n, c)); z[np.arange(n), y] += sharpness
    p = np.exp(z); return p / p.sum(1, keepdims=True), y


def main():
    cases = []
    for c, sharp in ((2, 1.0), (3, 0.5), (5, 2.0), (9, 1.0)):
        p, y = skilled(60, c, sharp); cases.append(case(f"{c} classes", p, y))
        cases.append(case(f"{c} classes, weighted", p, y, rng.integers(0, 25, 60) / 8))
    p, y = skilled(40, 5, 1.0, missing=(1, 3)); cases.append(case("labels without classes 1 and 3", p, y))
    p, y = skilled(40, 4, 0.3); p[:, 2] = 1e-9; p /= p.sum(1, keepdims=True); cases.append(case("class 2 never predicted", p, y))
    p, y = skilled(30, 3, 0.0); y = p.argmax(1); cases.append(case("all right", p, y))
    y = p.argmin(1); cases.append(case("all wrong", p, y))
    p, y = skilled(30, 3, 1.0); cases.append(case("labels of one class", p, np.full(30, 1)))
    cases.append(case("labels and predictions of one class", np.tile([0.2, 0.7, 0.1], (8, 1)), np.full(8, 1)))
    cases.append(case("labels and predictions of one class each, never right", np.tile([0.2, 0.7, 0.1], (8, 1)), np.full(8, 2)))
    cases.append(case("the same prediction for all", np.tile([0.25, 0.5, 0.25], (9, 1)), np.arange(9) % 3))
    p = rng.integers(0, 5, (40, 4)).astype(float) + 1e-3; p = np.round(p / p.sum(1, keepdims=True) * 16) / 16; p[:, 3] = 1 - p[:, :3].sum(1)
    p = np.abs(p); p = p / p.sum(1, keepdims=True); y = rng.integers(0, 4, 40); cases.append(case("ties and zeros", p, y))
    y = np.array([next(k for k in rng.permutation(4) if row[k] > 0) for row in p]); cases.append(case("ties, labels of positive probability", p, y))
    cases.append(case("one row", [[0.2, 0.5, 0.3]], [2])); cases.append(case("certain and right", np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 1]))
    cases.append(case("certain and wrong", np.eye(3)[[0, 1, 2, 1]], [0, 1, 1, 1]))
    with open(os.path.join(HERE, "metrics.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(len(cases), "cases")


main()
