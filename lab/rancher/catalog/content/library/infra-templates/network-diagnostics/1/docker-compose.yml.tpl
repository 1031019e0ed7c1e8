version: '2'
services:
  network-diagnostics:
    image: rancher/network-diagnostics:v0.1.2
    environment:
      INTERVAL: ${INFO_COLLECTION_INTERVAL}
      HISTORY: ${INFO_HISTORY_LENGTH}
      {{- if eq .Values.RANCHER_DEBUG "true" }}
      DEBUG: 'true'
      {{- end }}
    labels:
      io.rancher.container.create_agent: 'true'
      io.rancher.container.agent.role: environmentAdmin
  network-diagnostics-agent:
    image: rancher/network-diagnostics-agent:v0.1.0
    privileged: true
    labels:
      io.rancher.scheduler.global: 'true'
