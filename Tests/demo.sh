#!/bin/sh
# Packs a real fine-tuned model against its base, and proves that what comes back is what went in.
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
    "$silt" "$@" | sed "s|$work/||g"
}

run pack "$base" "$tuned" -o "$work/foods.silt"
run inspect "$work/foods.silt" | head -28
echo "  …"
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
