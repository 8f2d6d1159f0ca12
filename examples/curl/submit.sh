#!/bin/sh
# Submits one task and waits for its end: submit.sh [model] [prompt]
set -eu

url=${FORESAIL_URL:-http://127.0.0.1:8102}
model=${1:-demo}
prompt=${2:-hello}
id="curl-$(date +%s)-$$"

call() {
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    ${FORESAIL_KEY:+--header "X-API-Key: $FORESAIL_KEY"} "$@"
}

# A text as JSON has it between quotes; other control characters than tab and newline are refused.
escaped() {
  tab=$(printf '\t')
  printf '%s' "$1" |
    sed -e 's/[\\"]/\\&/g' -e "s/$tab/\\\\t/g" |
    awk '{ printf "%s%s", sep, $0; sep = "\\n" }'
}

call "$url/queue/submit" --data @- <<JSON
{"model_name": "$(escaped "$model")", "task_id": "$id", "task_input": {"prompt": "$(escaped "$prompt")"}}
JSON
echo

while :; do
  answer=$(call "$url/task/query?task_id=$id")
  case $answer in
    *'"task_status":"completed"'*) break ;;
  esac
  sleep 0.2
done

printf '%s\n' "$answer"
case $answer in
  *'"result":{"error":'*) exit 1 ;;
esac
