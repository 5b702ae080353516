# One image for any function: docker build --build-arg FUNCTION=create-order -t millrace/create-order .
#
# To pin a base image to what it is today, write its digest behind the tag, as FROM node:24-bookworm-slim@sha256:...
# `docker buildx imagetools inspect <image>` shows it. The compile cache below is made by the very Node that runs later.

FROM node:24-bookworm-slim AS build
ARG FUNCTION
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts/build.ts scripts/build.ts
COPY scripts/registry scripts/registry
COPY scripts/ship scripts/ship
COPY functions functions
RUN test -n "$FUNCTION" || { echo 'which function? --build-arg FUNCTION=create-order' >&2; exit 1; }; \
    node scripts/build.ts "$FUNCTION" && mv "dist/$FUNCTION" /app && mkdir /cache

FROM gcr.io/distroless/nodejs24-debian12:nonroot
ARG FUNCTION
ARG REVISION=unknown
ARG SOURCE=https://github.com/millrace/millrace
LABEL org.opencontainers.image.title="millrace/$FUNCTION" \
      org.opencontainers.image.description="Function $FUNCTION of Millrace" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION"
WORKDIR /app
COPY --from=build /app ./
COPY --from=build --chown=65532:65532 /cache .cache
# By number: Kubernetes checks runAsNonRoot by it, and Node keeps a compile cache for one user id.
USER 65532:65532
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.cache
# The function starts with stand-ins for its servers, on the loopback address, and is led through one message; what it
# compiled stays in .cache, which is only read later.
RUN --mount=type=bind,from=build,source=/src/scripts/shop/warm-up,target=/warm-up \
    ["/nodejs/bin/node", "/warm-up/warm-up.cjs", "index.cjs"]
CMD ["index.cjs"]
