#!/bin/sh
# A kubectl that notes what it is asked in $SCENE/calls and plays $PLAY; the cluster has revision 7 of every function.
printf '%s\n' "$*" >>"$SCENE/calls"
asked() { grep -c -- "$1" "$SCENE/calls"; }
case "$*" in
  *' kustomize '*) cat "$SCENE/rendered.yaml" ;;
  *' apply '*)
    cat >"$SCENE/applied.json"
    [ "$PLAY" != refused ] || { echo 'the server says no' >&2; exit 1; }
    ;;
  *revision*--ignore-not-found* | *--ignore-not-found*revision*) [ "$PLAY" = first ] || printf 7 ;;
  *spec.replicas*) [ "$PLAY" = asleep ] || [ "$(asked spec.replicas)" -lt 2 ] && printf 0 || printf 1 ;;
  *' rollout status '*)
    [ "$PLAY" != hangs ] || [ "$(asked 'rollout undo')" -gt 0 ] || exec sleep 60
    [ "$PLAY" != broken ] && [ "$PLAY" != first ] || [ "$(asked 'rollout undo')" -gt 0 ] ||
      { echo 'exceeded its progress deadline' >&2; exit 1; }
    ;;
  *' get services.serving.knative.dev '*)
    case "$PLAY $(asked "$4")" in
      *' 1') cat "$SCENE/before.json" ;;
      *' 2') cat "$SCENE/waiting.json" ;;
      broken*) cat "$SCENE/broken.json" ;;
      *) cat "$SCENE/ready.json" ;;
    esac
    ;;
esac
