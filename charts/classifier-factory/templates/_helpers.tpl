{{- /* Short enough for the longest name that is made with it, of a Service: 63 characters. */ -}}
{{- define "fullname" -}}
{{- $name := .Release.Name }}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end -}}
{{ $name | trunc 28 | trimSuffix "-" }}
{{- end }}

{{- define "labels" -}}
app.kubernetes.io/part-of: classifier-factory
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: classifier-factory
app.kubernetes.io/component: operator
{{- end }}

{{- define "factory.selector" -}}
app.kubernetes.io/name: classifier-factory
app.kubernetes.io/component: factory
{{- end }}

{{- /* The pods that serve: of a StatefulSet, or of servers, which have a label of their own. */ -}}
{{- define "factory.serving" -}}
app.kubernetes.io/name: classifier-factory
app.kubernetes.io/component: factory{{ if .Values.factory.scaled.secretName }}-server{{ end }}
{{- end }}

{{- define "factory.worker.selector" -}}
app.kubernetes.io/name: classifier-factory
app.kubernetes.io/component: factory-worker
{{- end }}

{{- /* Pods apart from each other: a list of the root and the name of the template with their selector. */ -}}
{{- define "factory.spread" -}}
{{- $selector := include (index . 1) (index . 0) }}
{{- range (index . 0).Values.factory.scaled.topologyKeys }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- $selector | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{- /* Where facts and bytes are. The pod waits until the Secret is there, and has these keys. */ -}}
{{- define "factory.storage" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.factory.scaled.secretName }}
      key: DATABASE_URL
- name: BLOB_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.factory.scaled.secretName }}
      key: BLOB_URL
{{- end }}

{{- /* The image of a component: a list of the root and the component's own values. */ -}}
{{- define "image" -}}
{{- $root := index . 0 }}{{ $image := (index . 1).image -}}
{{ $root.Values.imageRegistry }}/{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- /* The operator's account, as roles are bound to it. */ -}}
{{- define "operator.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "fullname" . }}-controller-manager
  namespace: {{ .Release.Namespace }}
{{- end }}
