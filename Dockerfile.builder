# Two images. `builder` has the builder and all it needs: `npm run builder-image` makes it. `runtime` has a distribution and Node, nothing else:
# `policy-engine build --image TAG` makes it from a folder that it has built; without Node on the machine, from a folder with a manifest:
#   docker build --file Dockerfile.builder --target runtime --build-context recipe=FOLDER --tag TAG .
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS builder
# Below no node_modules, because Node runs TypeScript nowhere in one.
COPY dist/builder-image/ /opt/policy-engine-builder/
RUN ln -s /opt/policy-engine-builder/bin/policy-engine.mjs /usr/local/bin/policy-engine
# What is built belongs to whoever owns the folder: run it with `--user`. Then there is no home.
ENV POLICY_ENGINE_CACHE=/tmp/policy-engine-cache
WORKDIR /recipe
ENTRYPOINT ["policy-engine", "build"]

# Empty, unless a build context of this name takes its place.
FROM scratch AS recipe

FROM builder AS built
COPY --from=recipe . /recipe/
RUN ["policy-engine", "build", "--out", "/distribution"]

# What was built elsewhere takes its place as a build context of this name.
FROM scratch AS distribution
COPY --from=built /distribution/ /

FROM ${BASE_IMAGE} AS runtime
# Owned by root: the engine cannot change itself.
COPY --from=distribution . /opt/policy-engine/
RUN ln -s /opt/policy-engine/policy-engine.mjs /usr/local/bin/policy-engine

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
ARG TITLE
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="${TITLE}" \
      org.opencontainers.image.description="A distribution of Envoy Policy Engine." \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
