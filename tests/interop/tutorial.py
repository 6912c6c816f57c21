"""GitLab's tutorial "Build and sign Python packages with GitLab CI/CD": its variables and its jobs' scripts.

They are copied literally from https://docs.gitlab.com/user/packages/package_registry/pypi_cosign_tutorial/.
Two things are left out: the installation in ``before_script`` (pip, build, twine and cosign 2.2.3 are there,
and a test reaches no package manager), and the build job, since its isolated build takes setuptools from
PyPI; the sandbox makes the wheel and the sdist. `HERE` lists what else is changed when the text runs.
"""

from __future__ import annotations

import os

from interop.clients import OLD_KEYS
from interop.stack.places import HOST, Port

HERE = {
    # Fulcio writes https into every subject, even if the GitLab has none.
    "https://gitlab.com/${CI_PROJECT_PATH}": f"https://{HOST}:{Port.GITLAB.value}/${{CI_PROJECT_PATH}}",
    "@gitlab.com/api": f"@{HOST}:{Port.GITLAB.value}/api",
    "https://gitlab-ci-token:": "http://gitlab-ci-token:",
    "https://gitlab.com": Port.GITLAB.url,
    "https://fulcio.sigstore.dev": Port.FULCIO.url,
    "https://rekor.sigstore.dev": Port.REKOR1.url,
}
"""The hosts of the text, and their replacements here, in this order."""

PRIVATE = OLD_KEYS | {"COSIGN_REKOR_URL": Port.REKOR1.url, "PIP_CONFIG_FILE": os.devnull}
"""Settings that the text, written for the public Sigstore, does not need.

They are its keys, and the Rekor that ``verify-blob`` queries. And no pip settings of this machine.
"""

VARIABLES = {
    "PACKAGE_NAME": "${CI_PROJECT_NAME}",
    "PACKAGE_VERSION": "1.0.0",
    "FULCIO_URL": "https://fulcio.sigstore.dev",
    "REKOR_URL": "https://rekor.sigstore.dev",
    "CERTIFICATE_IDENTITY": (
        "https://gitlab.com/${CI_PROJECT_PATH}//.gitlab-ci.yml@refs/heads/${CI_DEFAULT_BRANCH}"
    ),
    "CERTIFICATE_OIDC_ISSUER": "https://gitlab.com",
    "PIP_CACHE_DIR": "$CI_PROJECT_DIR/.pip-cache",
    "COSIGN_YES": "true",
    "GENERIC_PACKAGE_BASE_URL": (
        "${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/packages/generic/${PACKAGE_NAME}/${PACKAGE_VERSION}"
    ),
}


def here(text: str) -> str:
    """Return a piece of the text as it runs here."""
    for theirs, ours in HERE.items():
        text = text.replace(theirs, ours)
    return text


BEFORE = """
# First normalize package name
export NORMALIZED_NAME=$(echo "${CI_PROJECT_NAME}" | tr '-' '_')
export COSIGN_EXPERIMENTAL=1
"""

SIGN = """
for file in dist/*.whl dist/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    cosign sign-blob --yes \\
      --fulcio-url=${FULCIO_URL} \\
      --rekor-url=${REKOR_URL} \\
      --oidc-issuer $CI_SERVER_URL \\
      --identity-token $SIGSTORE_ID_TOKEN \\
      --output-signature "dist/${filename}.sig" \\
      --output-certificate "dist/${filename}.crt" \\
      "$file"

    # Debug: Verify files were created
    echo "Checking generated signature and certificate:"
    ls -l "dist/${filename}.sig" "dist/${filename}.crt"
  fi
done
"""

VERIFY = """
failed=0

for file in dist/*.whl dist/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    echo "Verifying file: $file"
    echo "Using signature: dist/${filename}.sig"
    echo "Using certificate: dist/${filename}.crt"

    if ! cosign verify-blob \\
      --signature "dist/${filename}.sig" \\
      --certificate "dist/${filename}.crt" \\
      --certificate-identity "${CERTIFICATE_IDENTITY}" \\
      --certificate-oidc-issuer "${CERTIFICATE_OIDC_ISSUER}" \\
      "$file"; then
      echo "Verification failed for $filename"
      failed=1
    fi
  fi
done

if [ $failed -eq 1 ]; then
  exit 1
fi
"""

PUBLISH = """
# Configure PyPI settings for GitLab package registry
cat << EOF > ~/.pypirc
[distutils]
index-servers = gitlab
[gitlab]
repository = ${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/packages/pypi
username = gitlab-ci-token
password = ${CI_JOB_TOKEN}
EOF

# Upload packages using twine
TWINE_PASSWORD=${CI_JOB_TOKEN} TWINE_USERNAME=gitlab-ci-token \\
  twine upload --repository-url ${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/packages/pypi \\
  dist/*.whl dist/*.tar.gz
"""

PUBLISH_SIGNATURES = """
for file in dist/*.whl dist/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    ls -l "dist/${filename}.sig" "dist/${filename}.crt"

    echo "Publishing signatures for $filename"
    echo "Publishing to: ${GENERIC_PACKAGE_BASE_URL}/${filename}.sig"

    # Upload signature and certificate
    curl --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --fail \\
         --upload-file "dist/${filename}.sig" \\
         "${GENERIC_PACKAGE_BASE_URL}/${filename}.sig"

    curl --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --fail \\
         --upload-file "dist/${filename}.crt" \\
         "${GENERIC_PACKAGE_BASE_URL}/${filename}.crt"
  fi
done
"""

CONSUMER_VERIFICATION = (
    """
# Initialize git repo for setuptools_scm
git init
git config --global init.defaultBranch main

# Create directory for downloading packages
mkdir -p pkg signatures

# Download the specific wheel version
pip download --index-url "https://gitlab-ci-token:${CI_JOB_TOKEN}@gitlab.com"""
    """/api/v4/projects/${CI_PROJECT_ID}/packages/pypi/simple" \\
    "${NORMALIZED_NAME}==${PACKAGE_VERSION}" --no-deps -d ./pkg --verbose

# Download the specific source distribution version
pip download --no-binary :all: \\
    --index-url "https://gitlab-ci-token:${CI_JOB_TOKEN}@gitlab.com"""
    """/api/v4/projects/${CI_PROJECT_ID}/packages/pypi/simple" \\
    "${NORMALIZED_NAME}==${PACKAGE_VERSION}" --no-deps -d ./pkg --verbose

failed=0
for file in pkg/*.whl pkg/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    sig_url="${GENERIC_PACKAGE_BASE_URL}/${filename}.sig"
    cert_url="${GENERIC_PACKAGE_BASE_URL}/${filename}.crt"

    echo "Downloading signatures for $filename"
    echo "Signature URL: $sig_url"
    echo "Certificate URL: $cert_url"

    # Download signatures
    curl --fail --silent --show-error \\
         --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --output "signatures/${filename}.sig" \\
         "$sig_url"

    curl --fail --silent --show-error \\
         --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --output "signatures/${filename}.crt" \\
         "$cert_url"

    # Verify signature
    if ! cosign verify-blob \\
      --signature "signatures/${filename}.sig" \\
      --certificate "signatures/${filename}.crt" \\
      --certificate-identity "${CERTIFICATE_IDENTITY}" \\
      --certificate-oidc-issuer "${CERTIFICATE_OIDC_ISSUER}" \\
      "$file"; then
      echo "Signature verification failed"
      failed=1
    fi
  fi
done

if [ $failed -eq 1 ]; then
  echo "Verification failed for one or more packages"
  exit 1
fi
"""
)
