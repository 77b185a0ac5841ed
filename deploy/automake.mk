# What it takes to run the switch in a pod.
EXTRA_DIST += \
	deploy/cni/20-xvs.conflist \
	deploy/image/Dockerfile \
	deploy/image/Dockerfile.dockerignore \
	deploy/image/entrypoint \
	deploy/image/keep-caps.c \
	deploy/kubernetes/00-namespace.yaml \
	deploy/kubernetes/10-device-plugin.yaml \
	deploy/kubernetes/20-network.yaml \
	deploy/kubernetes/30-switch.yaml \
	deploy/kubernetes/kustomization.yaml \
	deploy/node/containerd-memlock.conf \
	deploy/node/sysctl-hugepages.conf \
	deploy/podman/run-switch \
	deploy/podman/xvs-agent-netns.conf \
	deploy/podman/xvs-agent.json \
	deploy/podman/xvs-switch.container \
	deploy/seccomp/README.md \
	deploy/seccomp/xvs.json \
	tests/deploy/check-manifests \
	tests/deploy/check-manifests.mjs \
	tests/deploy/cni-live \
	tests/deploy/entrypoint-live \
	tests/deploy/package.json \
	tests/deploy/pod-run \
	Documentation/unprivileged.md
