"""Coefficients, standard errors and fit statistics of an unpenalised multinomial logit (reference class 0) on anes96.

Two independent programs are run: statsmodels MNLogit here, R nnet::multinom by make_inference.R; both are stored.
Needs: python3-statsmodels, python3-pandas. Run: python3 make_inference.py
"""
import json, os
import numpy as np, pandas as pd, statsmodels, statsmodels.api as sm
HERE = os.path.dirname(os.path.abspath(__file__))
d = pd.read_csv(os.path.join(HERE, "data/anes96.csv")); y = d.pop("label").to_numpy(int)
m = sm.MNLogit(y, sm.add_constant(d)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
ci = m.conf_int(); 
out = {"program": "statsmodels " + statsmodels.__version__, "data": "anes96", "referenceClass": 0, "columns": ["intercept"] + list(d.columns),
       "coefficients": m.params.T.to_numpy().tolist(), "standardErrors": m.bse.T.to_numpy().tolist(), "z": m.tvalues.T.to_numpy().tolist(), "p": m.pvalues.T.to_numpy().tolist(),
       "logLikelihood": m.llf, "logLikelihoodNull": m.llnull, "likelihoodRatio": m.llr, "likelihoodRatioP": m.llr_pvalue, "mcFaddenR2": m.prsquared, "aic": m.aic, "bic": m.bic,
       "lower95": ci["lower"].to_numpy().reshape(m.params.shape[1], -1).tolist(), "upper95": ci["upper"].to_numpy().reshape(m.params.shape[1], -1).tolist()}
json.dump(out, open(os.path.join(HERE, "inference.json"), "w"), indent=1); print(m.llf, m.aic, m.bic, m.prsquared, m.params.shape); print(m.params.iloc[:, 0]); print(m.bse.iloc[:, 0])
