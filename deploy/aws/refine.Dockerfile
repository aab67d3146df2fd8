# The function `refine` as a container image: DuckDB and delta-rs do not fit into a zip. Build it at the repository's root:
#   docker build --platform linux/arm64 -f deploy/aws/refine.Dockerfile -t penstock-refine .
# This file was never built by our tests, which have no docker; the handler itself is tested.
FROM public.ecr.aws/lambda/python:3.13
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN pip install --no-cache-dir '/build[aws]' && rm -rf /build
ENV PENSTOCK_DATA=/tmp/penstock HOME=/tmp
CMD ["penstock.hosts.awslambda.refine.handler"]
