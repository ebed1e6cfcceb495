# Softmax regression by glmnet with penalty factors, offsets, target proportions, and a cross-validated path
# (type.multinomial = "ungrouped", standardize = FALSE, thresh 1e-16). Prints one JSON line per case.
# Objective: (1/n) sum loss + l1 * sum f|W| + l2/2 * sum f W^2, intercepts free. glmnet: l1 = lambda*alpha, l2 = lambda*(1-alpha).
# Penalty factors sum to the number of features, so that glmnet's scaling of them changes nothing.
# Run: Rscript make_glmnet_training.R > glmnet_training.jsonl
suppressMessages(library(glmnet))
args <- commandArgs(FALSE); here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
read <- function(name) { d <- read.csv(file.path(here, "data", paste0(name, ".csv"))); list(x = as.matrix(d[, -1]), y = factor(d$label)) }
numbers <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ","), "]")
score <- function(x, t, b, offset, l1, l2, f) {
  z <- cbind(1, x) %*% b + offset; z <- z - apply(z, 1, max); lse <- log(rowSums(exp(z))); W <- b[-1, , drop = FALSE]
  mean(rowSums(t * (lse - z))) + l1 * sum(f * abs(W)) + l2 / 2 * sum(f * W^2)
}
fit <- function(case, name, t, lam, a, f, offset) {
  d <- read(name); x <- d$x; if (is.null(t)) t <- model.matrix(~ y - 1, d); if (is.null(f)) f <- rep(1, ncol(x))
  off <- if (is.null(offset)) matrix(0, nrow(x), ncol(t)) else offset
  path <- exp(seq(log(lam * 100), log(lam), length.out = 40))
  m <- glmnet(x, t, family = "multinomial", alpha = a, lambda = path, standardize = FALSE, thresh = 1e-16, maxit = 1e7, penalty.factor = f, offset = offset)
  b <- do.call(cbind, lapply(coef(m, s = lam), function(v) as.matrix(v)))
  cat(sprintf('{"case":"%s","data":"%s","l1":%.17g,"l2":%.17g,"factors":%s,"objective":%.15g,"program":"glmnet %s"}\n', case, name, lam * a, lam * (1 - a), numbers(f), score(x, t, b, off, lam * a, lam * (1 - a), f), packageVersion("glmnet")))
}
# Row i (from 0), class c: offset sin(i + 2c); targets proportional to 1 + ((7i + 3c) mod 5), plus 4 for the label.
made <- function(d) { n <- nrow(d$x); k <- nlevels(d$y); i <- matrix(0:(n - 1), n, k); c <- matrix(0:(k - 1), n, k, byrow = TRUE)
  t <- 1 + (7 * i + 3 * c) %% 5; t <- t + 4 * model.matrix(~ y - 1, d); list(offset = sin(i + 2 * c), targets = t / rowSums(t)) }
iris <- made(read("iris")); wine <- made(read("wine"))
fit("factors", "iris", NULL, 0.02, 1, c(0.5, 0, 2.5, 1), NULL)
fit("factors", "iris", NULL, 0.02, 0.5, c(0.4, 0, 2.6, 1), NULL)
fit("factors", "wine", NULL, 0.01, 0.5, c(0.5, 1.5, rep(1, 11)), NULL)
fit("offset", "iris", NULL, 0.01, 0.5, NULL, iris$offset)
fit("offset", "wine", NULL, 0.02, 1, NULL, wine$offset)
fit("targets", "iris", iris$targets, 0.01, 0.5, NULL, NULL)
fit("targets", "wine", wine$targets, 0.005, 1, NULL, NULL)
for (case in list(list("iris", 1), list("wine", 0.5))) {
  d <- read(case[[1]]); n <- nrow(d$x); folds <- (0:(n - 1)) %% 5 + 1
  m <- glmnet(d$x, d$y, family = "multinomial", alpha = case[[2]], standardize = FALSE)
  lam <- m$lambda[1] * 0.8^(0:14)
  v <- cv.glmnet(d$x, d$y, family = "multinomial", alpha = case[[2]], standardize = FALSE, thresh = 1e-14, maxit = 1e7, foldid = folds, lambda = lam)
  cat(sprintf('{"case":"path","data":"%s","mixing":%.17g,"largest":%.15g,"penalties":%s,"deviance":%s,"error":%s,"best":%.15g,"oneError":%.15g,"nullDeviance":%.15g,"ratio":%s,"program":"glmnet %s"}\n', case[[1]], case[[2]], m$lambda[1],
    numbers(v$lambda), numbers(v$cvm), numbers(v$cvsd), v$lambda.min, v$lambda.1se, v$glmnet.fit$nulldev / n, numbers(v$glmnet.fit$dev.ratio), packageVersion("glmnet")))
}
