# The scheduler, the worker and the command line in one image: `docker build -t foresail .`
# Debian, not Alpine: the bundled PostgreSQL is built for glibc.

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json tsconfig.migrations.json ./
COPY migrations migrations
COPY src src
RUN npm run build

FROM node:24-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

FROM node:24-trixie-slim
# A user that nobody can log in as; its home is where the embedded PostgreSQL lies, if it is used.
# Who runs the program cannot change it: /app belongs to root.
RUN userdel --remove node \
 && useradd --uid 10001 --home-dir /var/lib/foresail --create-home --shell /usr/sbin/nologin foresail
ENV NODE_ENV=production FORESAIL_DATA_DIR=/var/lib/foresail/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
USER 10001
VOLUME /var/lib/foresail
EXPOSE 8102
# No shell between: SIGTERM reaches the program, which then ends cleanly.
# A small space for young objects: docs/adr/0013.
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/dist/main.js"]
CMD ["serve"]
# Of the scheduler: a worker is given another one, or none (docs/deployment.md).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FORESAIL_PORT || 8102}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
