#!/usr/bin/env bash
# Waits until the operator and the factory of NAMESPACE run, TIMEOUT seconds at most (default 180),
# and else says in one sentence what is missing. KUBECTL is the command.
set -euo pipefail

deadline=$((SECONDS + ${TIMEOUT:-180}))

get() { $KUBECTL get --namespace "$NAMESPACE" "$@" 2>/dev/null; }

# Prints what keeps a pod of the component from running, if that is known.
missing() {
	local component=$1 selector="app.kubernetes.io/component=$1" waiting claims
	if ! get secret factory-api-key -o name >/dev/null; then
		echo "there is no Secret factory-api-key, which the pods wait for: make it, or run make deploy again"
		return
	fi
	case $component in
	factory-*)
		if ! get secret factory-storage -o name >/dev/null; then
			echo "there is no Secret factory-storage, which servers and workers wait for: docs/how-to/run-several-factories.md says what is in it"
			return
		fi
		;;
	factory)
		case $(get statefulset classifier-factory-factory -o 'jsonpath={.spec.replicas}') in
		"" | 0 | 1) ;;
		*)
			echo "only one pod can have its data: set its replicas to 1, or see docs/how-to/run-several-factories.md for servers and workers that share theirs"
			return
			;;
		esac
		claims=$(get persistentvolumeclaim data-classifier-factory-factory-0 -o 'jsonpath={.status.phase} {.spec.storageClassName}') || true
		case $claims in
		"Pending ")
			echo "there is no default storage class for the factory's volume: name one as docs/how-to/change-the-installation.md says, and delete the claim"
			return
			;;
		Pending*)
			echo "the storage class ${claims#Pending } has not made the factory's volume: see kubectl describe persistentvolumeclaims --namespace $NAMESPACE"
			return
			;;
		esac
		;;
	esac
	waiting=$(get pods --selector "$selector" -o 'jsonpath={range .items[*]}{.status.containerStatuses[*].state.waiting.reason} {.status.conditions[?(@.status=="False")].reason}{end}') || true
	case $waiting in
	*ErrImage* | *ImagePull* | *InvalidImageName*)
		echo "the cluster cannot pull the image $(get pods --selector "$selector" -o 'jsonpath={.items[0].spec.containers[0].image}'): push it with make docker-push, or name another"
		;;
	*CrashLoop* | *Error*)
		echo "it starts and ends again: see kubectl logs --previous --namespace $NAMESPACE --selector $selector"
		;;
	*Unschedulable*)
		echo "no node has room for its pod: see kubectl describe pods --namespace $NAMESPACE --selector $selector"
		;;
	*)
		echo "see kubectl describe pods --namespace $NAMESPACE --selector $selector"
		;;
	esac
}

workloads=factory=statefulset/classifier-factory-factory
if [ -n "$(get deployment classifier-factory-factory-server -o name)" ]; then
	workloads="factory-server=deployment/classifier-factory-factory-server factory-worker=deployment/classifier-factory-factory-worker"
fi
for workload in operator=deployment/classifier-factory-controller-manager $workloads; do
	left=$((deadline - SECONDS))
	if ! $KUBECTL rollout status --namespace "$NAMESPACE" --timeout="$((left > 1 ? left : 1))s" "${workload#*=}"; then
		echo "The ${workload%%=*} does not run: $(missing "${workload%%=*}")." >&2
		exit 1
	fi
done
