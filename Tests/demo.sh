#!/bin/sh
# Packs a real fine-tuned model against its base, exactly and lossily, and proves that the result is what was promised.
set -eu
silt=$1
base=Tests/Data/small-base
tuned=Tests/Data/small-foods
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
    printf '\n$ silt'
    printf ' %s' "$@" | sed "s|$work/||g"
    printf '\n'
    "$silt" "$@" >"$work/out"
    sed "s|$work/||g" "$work/out"
}

# The first lines of what a command prints.
run_short() {
    count=$1
    shift
    run "$@" >"$work/lines"
    head -n "$count" "$work/lines"
    echo "  …"
}

run pack "$base" "$tuned" -o "$work/foods.silt"
run_short 28 inspect "$work/foods.silt"
run unpack "$base" "$work/foods.silt" -o "$work/restored"
run verify "$base" "$work/foods.silt" --against "$tuned"

printf '\nbyte for byte: diff -r %s restored\n' "$tuned"
diff -r "$tuned" "$work/restored"
(cd "$tuned" && sha256sum * 2>/dev/null || shasum -a 256 *) >"$work/before"
(cd "$work/restored" && sha256sum * 2>/dev/null || shasum -a 256 *) >"$work/after"
diff "$work/before" "$work/after"
cat "$work/after"
echo "every file is identical"

printf '\na wrong base is refused:\n$ silt unpack %s foods.silt -o nothing\n' "$tuned"
if "$silt" unpack "$tuned" "$work/foods.silt" -o "$work/nothing"; then exit 1; else echo "exit status $?"; fi
test ! -e "$work/nothing"

printf '\nlossy: DARE drops nine of ten values, and the file records how far the result is from the fine-tuned model\n'
run pack "$base" "$tuned" -o "$work/dare.silt" --method random --drop 0.9 --embeddings method
run_short 10 verify "$base" "$work/dare.silt" --against "$tuned"

printf '\nchanging the rescale factor q without packing again\n'
run rescale "$work/dare.silt" --q 0.12 --base "$base" --against "$tuned"
run_short 6 verify "$base" "$work/dare.silt" --against "$tuned"

printf '\nwhich method to use? plan tries them all\n'
"$silt" plan "$base" "$tuned" >"$work/plan"
printf '\n$ silt plan %s %s\n  …\n' "$base" "$tuned"
sed -n '/^  silt pack/,$p' "$work/plan" | grep -v -e '--values bf16' -e '--drop 0.95'
