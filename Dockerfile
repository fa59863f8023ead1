# One image for the site and the workers; docker-compose.yml tells what each container runs.
FROM python:3.11.14-slim-bookworm AS production
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin connectgenai
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY manage.py ./
COPY gunicorn.conf.py ./
COPY templates/ templates/
COPY connectgenai/ connectgenai/
COPY lambdas/ lambdas/
COPY flows/ flows/
COPY cache_admin/ cache_admin/
COPY jobs/ jobs/
# The style sheets are part of the image, under names that change with their content. The settings want an environment, and
# take the examples of their own messages.
RUN examples='from connectgenai import environment as site; from connectgenai.wire import config; print(*map("=".join, {**config.EXAMPLES, **site.EXAMPLES}.items()))' \
    && env $(python -c "$examples") python manage.py collectstatic --noinput --verbosity 0
RUN python -m compileall -q .
USER 10001
EXPOSE 8000
CMD ["gunicorn", "connectgenai.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]

# The same, with what plays Bedrock and fills an emulated AWS: for docker-compose.yml only.
FROM production AS local
COPY local/ local/
