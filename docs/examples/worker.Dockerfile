# What a worker on ECS and the runs it starts need: Prefect, corral, Terraform and its provider, all in one image.
# Build it from the root of the repository:
#   docker build --platform linux/amd64 -f docs/examples/worker.Dockerfile -t corral-worker .
FROM hashicorp/terraform:1.11.4 AS terraform

FROM python:3.11-slim-bookworm
COPY --from=terraform /bin/terraform /usr/local/bin/terraform
WORKDIR /opt/corral

# What a worker runs on; the lab, the tests and the checks have requirements-dev.lock.
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock

COPY prefect.yaml ./
COPY corral corral
COPY deployments deployments
COPY flows flows
COPY tasks tasks
COPY terraform terraform

# The provider is 700 MB: once in the image instead of once a stack and run.
RUN terraform -chdir=terraform/vpc providers mirror /opt/providers
ENV CORRAL_PROVIDER_MIRROR=/opt/providers

# corral writes its working copies only; Prefect writes below its home.
RUN useradd --create-home corral && install -d -o corral /opt/corral/.corral
USER corral
