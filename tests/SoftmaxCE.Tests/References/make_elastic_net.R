# Elastic-net softmax regression by glmnet (type.multinomial = "ungrouped", standardize = FALSE, thresh 1e-16).
# Objective: (1/n) sum loss + l1 * sum|W| + l2/2 * sum W^2, intercepts free. glmnet: l1 = lambda*alpha, l2 = lambda*(1-alpha).
# Prints one JSON line per case. Run: Rscript make_elastic_net.R > elastic_net.jsonl
suppressMessages(library(glmnet))
args <- commandArgs(FALSE); here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
for (case in list(list("iris", 0.02, 1), list("iris", 0.02, 0.5), list("wine", 0.01, 1), list("vowel", 0.005, 0.5), list("digits", 0.01, 1), list("digits", 0.01, 0.5))) {
  d <- read.csv(file.path(here, "data", paste0(case[[1]], ".csv"))); x <- as.matrix(d[, -1]); y <- factor(d$label); lam <- case[[2]]; a <- case[[3]]
  path <- exp(seq(log(lam * 100), log(lam), length.out = 40))
  m <- glmnet(x, y, family = "multinomial", alpha = a, lambda = path, standardize = FALSE, thresh = 1e-16, maxit = 1e7)
  b <- do.call(cbind, lapply(coef(m, s = lam), function(v) as.matrix(v)))
  z <- cbind(1, x) %*% b; z <- z - apply(z, 1, max); lse <- log(rowSums(exp(z))); loss <- mean(lse - z[cbind(seq_along(y), as.integer(y))])
  W <- b[-1, ]; obj <- loss + lam * a * sum(abs(W)) + lam * (1 - a) / 2 * sum(W^2)
  cat(sprintf('{"data":"%s","l1":%.17g,"l2":%.17g,"objective":%.15g,"meanLoss":%.15g,"nonzero":%d,"program":"glmnet %s"}\n', case[[1]], lam * a, lam * (1 - a), obj, loss, sum(W != 0), packageVersion("glmnet")))
}
