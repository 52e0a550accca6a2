# shellcheck shell=bash
# Sourced: every tool of a build trusts the same certificates: those of the secret `ca_certificates` where one is given
# (a proxy that inspects TLS), else the system's. uv would bring its own list otherwise, and pip another one.
roots=/run/secrets/ca_certificates
[[ -s $roots ]] || roots=/etc/ssl/certs/ca-certificates.crt
if [[ -s $roots ]]; then
    export SSL_CERT_FILE=$roots CURL_CA_BUNDLE=$roots GIT_SSL_CAINFO=$roots PIP_CERT=$roots NODE_EXTRA_CA_CERTS=$roots
fi
unset roots
