{{- define "shop-operator.name" -}}
{{- if contains "shop-operator" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-shop-operator" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "shop-operator.selector" -}}
app.kubernetes.io/name: shop-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* managed-by is Helm here, never shop-operator: the operator must not take itself for a part of a shop. */}}
{{- define "shop-operator.labels" -}}
{{ include "shop-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "shop-operator.image" -}}
{{- $image := .Values.image | default (index .Values.images "shop-operator") -}}
{{- required "set `image` (or images.shop-operator) to the operator's image" $image -}}
{{- end -}}
