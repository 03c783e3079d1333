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
