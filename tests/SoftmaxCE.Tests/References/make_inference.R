# nnet::multinom on anes96: a second opinion on make_inference.py. Run: Rscript make_inference.R
library(nnet)
args <- commandArgs(FALSE); here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
d <- read.csv(file.path(here, "data/anes96.csv")); d$label <- factor(d$label)
m <- multinom(label ~ ., data = d, maxit = 5000, reltol = 1e-15, abstol = 1e-15, Hess = TRUE, trace = FALSE)
s <- summary(m); print(coef(m), digits = 12); print(s$standard.errors, digits = 12); print(c(logLik(m), AIC(m), BIC(m)), digits = 12)
