# Firth's bias-reduced fits (mean bias-reducing adjusted scores) by brglm2: endometrial (two classes, quasi-complete separation),
# iris (three classes, setosa completely separated; there brglm2 reaches 1e-9) and alligators (five classes, and the first three of them;
# counts as weights). Needs r-cran-brglm2. Also writes data/endometrial.csv and data/alligators.csv, first column the label.
# Run: Rscript make_firth.R
library(brglm2)
args <- commandArgs(FALSE); here <- dirname(sub("--file=", "", args[grep("--file=", args)]))
numbers <- function(x) paste0("[", paste(formatC(x, digits = 17, format = "g", width = 1), collapse = ", "), "]")
matrixText <- function(m) paste0("[", paste(apply(m, 1, numbers), collapse = ",\n   "), "]")
record <- function(name, coefficients, errors, loglik) paste0(
  ' {"data": "', name, '", "program": "brglm2 ', packageVersion("brglm2"), '",\n  "coefficients":\n   ', matrixText(coefficients),
  ',\n  "standardErrors":\n   ', matrixText(errors), ',\n  "logLikelihood": ', formatC(loglik, digits = 17, format = "g"), "}")

data(endometrial)
write.csv(data.frame(label = endometrial$HG, endometrial[, c("NV", "PI", "EH")]), file.path(here, "data/endometrial.csv"), row.names = FALSE, quote = FALSE)
m <- glm(HG ~ NV + PI + EH, data = endometrial, family = binomial(), method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 10000)
first <- record("endometrial", t(coef(m)), t(sqrt(diag(vcov(m)))), as.numeric(logLik(m)))

multinomial <- function(name, d, weights, epsilon = 1e-13) {
  d$label <- factor(d$label)
  d$w <- weights
  m <- brmultinom(label ~ . - w, weights = w, data = d, type = "AS_mean", epsilon = epsilon, maxit = 20000)
  errors <- matrix(sqrt(diag(vcov(m))), nrow = nrow(coef(m)), dimnames = dimnames(coef(m)), byrow = TRUE)
  stopifnot(m$converged, names(diag(vcov(m)))[2] == paste(rownames(coef(m))[1], colnames(coef(m))[2], sep = ":"))
  record(name, coef(m), errors, as.numeric(logLik(m)))
}

data(alligators)
a <- with(alligators, data.frame(label = as.integer(foodchoice) - 1, size = as.integer(size) - 1, male = as.integer(gender == "Male"),
  oklawaha = as.integer(lake == "Oklawaha"), trafford = as.integer(lake == "Trafford"), george = as.integer(lake == "George"), count = freq))
write.csv(a, file.path(here, "data/alligators.csv"), row.names = FALSE, quote = FALSE)
iris <- read.csv(file.path(here, "data/iris.csv"))
second <- multinomial("iris", iris, rep(1, nrow(iris)), epsilon = 1e-9)
three <- a[a$label < 3, ]
third <- multinomial("alligators, three classes", three[, 1:6], three$count)
fourth <- multinomial("alligators", a[, 1:6], a$count)
writeLines(c("[", paste(first, second, third, fourth, sep = ",\n"), "]"), file.path(here, "firth.json"))
