# The repository's own scripts, for what is done once before functions start.
FROM node:24-bookworm-slim
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY functions functions
COPY infra/nats infra/nats
COPY knative/functions knative/functions
COPY scripts scripts
USER node
