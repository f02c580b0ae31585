# A program as users of the classic service wrote them, with RCurl and rjson. Arguments: scoring address, its key.
library("RCurl")
library("rjson")

arguments <- commandArgs(trailingOnly = TRUE)
text <- basicTextGatherer()
headers <- basicHeaderGatherer()

request <- list(
  Inputs = list(
    "input1" = list(
      "ColumnNames" = list("age", "hours", "job"),
      "Values" = list(list("40", "40", "clerk"), list("61", "55", "judge"))
    )
  ),
  GlobalParameters = setNames(fromJSON("{}"), character(0))
)

text$reset()
outcome <- curlPerform(
  url = paste0(arguments[1], "?api-version=2.0&details=true"),
  httpheader = c("Content-Type" = "application/json", "Authorization" = paste("Bearer", arguments[2])),
  postfields = enc2utf8(toJSON(request)),
  writefunction = text$update,
  headerfunction = headers$update,
  verbose = FALSE
)

if (headers$value()["status"] >= 400) {
  print(paste("The request failed with status code:", headers$value()["status"]))
}
answer <- fromJSON(text$value())
for (row in answer$Results$output1$value$Values) cat(paste(row, collapse = " "), "\n", sep = "")
