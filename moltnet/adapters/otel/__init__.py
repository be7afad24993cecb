"""OpenTelemetry: traces, metrics and logs, sent by OTLP or fetched by Prometheus."""
