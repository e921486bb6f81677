# The agent: one on each Swarm manager, with the engine's socket and its settings mounted.
FROM node:24-bookworm-slim

RUN apt-get update \
  && apt-get install --yes --no-install-recommends git openssh-client ca-certificates tini python3-rados \
  && test -x "$(git --exec-path)/git-remote-https" \
  && python3 -c 'import rados' \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/understudy
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --no-fund --no-audit && npm cache clean --force
COPY agent ./agent
COPY schemas ./schemas
RUN ln -s /opt/understudy/agent/bin.mjs /usr/local/bin/understudy \
  && install -d -m 0700 /var/lib/understudy \
  && understudy --version

# The socket belongs to root: whoever may use it is root on the node. There is nothing to gain from another user here.
VOLUME /var/lib/understudy
ENTRYPOINT ["tini", "--", "understudy"]
CMD ["agent", "--settings", "/etc/understudy/agent.yaml"]
