package controller

// The UID of this namespace is the cluster's identity. The rule has no namespace of its own,
// for kustomize would move such a Role to the operator's: see config/namespaced.
// +kubebuilder:rbac:groups="",resources=namespaces,resourceNames=kube-system,verbs=get
