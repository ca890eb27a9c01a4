# The engine. `npm run image` lays out dist/image and builds this; nothing is fetched or compiled in here.
ARG BASE_IMAGE=node:24-bookworm-slim
FROM ${BASE_IMAGE}

# Below no node_modules, because Node runs TypeScript nowhere in one. Owned by root: the engine cannot change itself.
COPY dist/image/ /opt/policy-engine/
RUN ln -s /opt/policy-engine/bin/policy-engine.mjs /usr/local/bin/policy-engine

WORKDIR /opt/policy-engine
ENV NODE_ENV=production
# By number, so that Kubernetes can tell that it is not root. The name in the base image is `node`.
USER 1000:1000
EXPOSE 9100

# The exec form: the engine is the process that gets the signal. It starts no others, so nobody needs to reap any.
ENTRYPOINT ["policy-engine"]
CMD ["serve", "--settings", "/etc/policy-engine/settings.yaml"]
# Drains: 3 s for Envoy to notice, 30 s in all (settings `shutdown`). Whoever stops it must wait longer than that, Docker's default is 10 s.
STOPSIGNAL SIGTERM

# Whether the process runs, on the admin port of the default settings. Readiness is Envoy's gRPC health check, or /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9101/healthz').then(({ ok }) => process.exit(ok ? 0 : 1))"]

# Last: they change with every commit.
ARG BASE_IMAGE
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Envoy Policy Engine" \
      org.opencontainers.image.description="Envoy asks, policy chains answer: an ext_proc policy engine in TypeScript." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
