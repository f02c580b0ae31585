# The image that runs batch jobs, and publishes: docker build -f studio/training.Dockerfile -t relearn-training .
# studio/Dockerfile says why each image has a file, and where its version comes from.

FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY constraints.txt ./
COPY studio/requirements-scoring.txt studio/requirements.txt studio/
RUN python -m venv /opt/training \
 && /opt/training/bin/pip install -r studio/requirements.txt

FROM python:3.13-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin studio
ARG VERSION=
ENV PYTHONUNBUFFERED=1 RELEARN_VERSION=$VERSION
WORKDIR /app
COPY shared/__init__.py shared/errors.py shared/logs.py shared/secret.py shared/storage_account.py shared/
COPY shared/version.py shared/VERSIO[N] shared/
COPY shared/wire shared/wire
COPY studio studio
USER 10001

FROM base AS training
COPY --from=packages /opt/training /opt/training
ENV PATH=/opt/training/bin:$PATH
ENTRYPOINT ["python", "-m", "studio"]
CMD ["work"]
