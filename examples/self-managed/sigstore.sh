#!/bin/bash
# One Sigstore for one GitLab: docs/self-managed.md says what each command is for.
set -euo pipefail
shopt -s inherit_errexit
umask 077 # what is written here is keys, passwords, and configurations with passwords in them
here=$(dirname "$(readlink -f "$0")")
set -a # envsubst sees the environment only
. "${SIGSTORE_SETTINGS:-$here/settings}"
USER=$(id -un)
set +a
keys=$DIR/keys secrets=$DIR/secrets conf=$DIR/conf trees=$DIR/trees trust=$DIR/trust

fail() {
  echo "sigstore.sh: $*" >&2
  exit 1
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

origin() { # URL: its host, the name under which clients know a log's key
  local host=${1#*://}
  host=${host%%/*}
  echo "${host%%:*}"
}

# Keys

password() { # NAME: make it once. Programs are given the file, never the password.
  [ -s "$secrets/$1" ] || openssl rand -out "$secrets/$1" -hex 32
}

p256() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "$@"; }

authority() { # DIRECTORY NAME COMMON-NAME: a root of its own, for ten years
  password "$2"
  p256 -aes-256-cbc -pass "file:$secrets/$2" -out "$1/$2.key"
  openssl req -x509 -new -sha256 -days 3650 -key "$1/$2.key" -passin "file:$secrets/$2" -out "$1/$2.pem" \
    -subj "/O=$ORGANIZATION/CN=$3" -addext basicConstraints=critical,CA:TRUE,pathlen:1 \
    -addext keyUsage=critical,keyCertSign,cRLSign
}

public() { openssl pkey -in "$1" -pubout "${@:2}" -out "${1%.key}.pub"; }

make_ca() { # DIRECTORY
  authority "$1" ca "Fulcio of $ORGANIZATION"
  public "$1/ca.key" -passin "file:$secrets/ca"
  now >"$1/ca.since"
}

make_tsa() { # DIRECTORY: the root's key signs the stamper's certificate, and is to be put away
  authority "$1" tsa-root "Time stamps of $ORGANIZATION"
  p256 -out "$1/tsa.key"
  openssl req -new -key "$1/tsa.key" -subj "/O=$ORGANIZATION/CN=Stamper of $ORGANIZATION" |
    openssl x509 -req -sha256 -days 3650 -CA "$1/tsa-root.pem" -CAkey "$1/tsa-root.key" -passin "file:$secrets/tsa-root" \
      -CAcreateserial -out "$1/tsa.pem" -extfile <(
        printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
          extendedKeyUsage=critical,timeStamping subjectKeyIdentifier=hash authorityKeyIdentifier=keyid
      )
  cat "$1/tsa.pem" "$1/tsa-root.pem" >"$1/tsa-chain.pem"
  now >"$1/tsa.since"
}

make_keys() {
  mkdir -p "$keys" "$secrets"
  [ ! -e "$keys/complete" ] || return 0
  password database
  password ct
  make_ca "$keys"
  make_tsa "$keys"
  p256 | openssl ec -aes-256-cbc -passout "file:$secrets/ct" -out "$keys/ct.key" # the CT log reads no other form
  public "$keys/ct.key" -passin "file:$secrets/ct"
  p256 -out "$keys/rekor1.key"
  public "$keys/rekor1.key"
  openssl genpkey -algorithm ED25519 -out "$keys/rekor2.key"
  public "$keys/rekor2.key"
  now | tee "$keys/ct.since" "$keys/rekor1.since" >"$keys/rekor2.since"
  touch "$keys/complete"
}

# Servers

render() ( # FILE: write it with its ${NAMES} filled in, and print where. In a shell of its own: no server inherits a secret.
  export DATABASE_PASSWORD CA_PASSWORD CT_PASSWORD CT_TREE REKOR1_TREE REKOR1_ORIGIN
  DATABASE_PASSWORD=$(cat "$secrets/database") CA_PASSWORD=$(cat "$secrets/ca") CT_PASSWORD=$(cat "$secrets/ct")
  CT_TREE=$(cat "$trees/ct" 2>/dev/null || true) REKOR1_TREE=$(cat "$trees/rekor-v1" 2>/dev/null || true)
  REKOR1_ORIGIN=$(origin "$REKOR1_URL")
  for name in $(envsubst -v "$(cat "$here/$1")"); do
    [ -n "${!name:-}" ] || fail "expected a value of $name for $1, found none"
  done
  mkdir -p "$conf"
  name=$conf/$1.$BASHPID # another server may read the file meanwhile
  envsubst <"$here/$1" >"$name"
  mv "$name" "$conf/$1"
  echo "$conf/$1"
)

run() { # Servers take options from variables of any name (PORT, HOST) before their configuration, so they get none.
  exec env -i PATH="$PATH:/usr/sbin" HOME="$DIR" "$@"
}

serve() { # NAME
  local file
  case $1 in
    mysql)
      [ -d "$DIR/mysql/mysql" ] || mariadb-install-db --no-defaults --datadir="$DIR/mysql" --user="$USER" \
        --auth-root-authentication-method=socket --skip-test-db >/dev/null
      file=$(render mariadb.cnf)
      run mariadbd --defaults-file="$file"
      ;;
    trillian-server)
      file=$(render trillian.flags)
      run "$BIN/trillian_log_server" --config="$file" \
        --rpc_endpoint="$HOST:$TRILLIAN_PORT" --http_endpoint="$HOST:$TRILLIAN_HTTP_PORT"
      ;;
    trillian-signer)
      file=$(render trillian.flags)
      run "$BIN/trillian_log_signer" --config="$file" --force_master --sequencer_interval=100ms --batch_size=200 \
        --rpc_endpoint="$HOST:$SIGNER_PORT" --http_endpoint="$HOST:$SIGNER_HTTP_PORT"
      ;;
    ct-log)
      file=$(render ctlog.cfg)
      find "$keys" -name ca.pem -exec cat {} + >"$conf/ca-all.pem" # while the CA is rotated there are two
      run "$BIN/ct_server" --log_config="$file" --log_rpc_server="$HOST:$TRILLIAN_PORT" --http_endpoint="$HOST:$CT_PORT"
      ;;
    fulcio)
      render fulcio.yaml >/dev/null
      file=$(render fulcio-server.yaml)
      rm -f "$DIR/fulcio.sock" # one that an earlier run left stops it
      run "$BIN/fulcio" serve --config="$file"
      ;;
    timestamps)
      file=$(render timestamps.yaml)
      run "$BIN/timestamp-server" serve --config="$file"
      ;;
    rekor-v1)
      file=$(render rekor.yaml)
      run "$BIN/rekor-server" serve --config="$file"
      ;;
    rekor-v2)
      mkdir -p "$DIR/rekor-v2"
      run "$BIN/posix" serve --http-address="$HOST" --http-port="$REKOR2_PORT" --grpc-address="$HOST" \
        --grpc-port="$REKOR2_GRPC_PORT" --http-metrics-port="$REKOR2_METRICS_PORT" --hostname="$(origin "$REKOR2_URL")" \
        --storage-dir="$DIR/rekor-v2" --signer-filepath="$keys/rekor2.key" --checkpoint-interval=200ms --batch-max-age=50ms
      ;;
    *) fail "expected mysql, trillian-server, trillian-signer, ct-log, fulcio, timestamps, rekor-v1 or rekor-v2, found $1" ;;
  esac
}

sql() { mariadb --no-defaults --socket="$DIR/mysql.sock" --user="$USER" "$@"; }

get() { curl --noproxy '*' --silent --fail --output /dev/null --max-time 5 "http://$HOST:$1"; }

answers() { # NAME
  case $1 in
    mysql) sql --execute='SELECT 1' >/dev/null 2>&1 ;;
    trillian-server) get "$TRILLIAN_HTTP_PORT/healthz" ;;
    trillian-signer) get "$SIGNER_HTTP_PORT/healthz" ;;
    ct-log) get "$CT_PORT/ct/ct/v1/get-sth" ;;
    fulcio) get "$FULCIO_PORT/api/v2/configuration" ;;
    timestamps) get "$TIMESTAMPS_PORT/ping" ;;
    rekor-v1) get "$REKOR1_PORT/api/v1/log" ;;
    rekor-v2) get "$REKOR2_PORT/healthz" ;;
    *) fail "expected the name of a server, found $1" ;;
  esac
}

await() { # NAME…: fails after a minute
  local name tries
  for name; do
    for ((tries = 0; ; tries++)); do
      ! answers "$name" || break
      ((tries < 60)) || fail "$name does not answer"
      sleep 1
    done
  done
}

make_databases() {
  local file
  await mysql
  file=$(render databases.sql)
  sql <"$file"
  [ -n "$(sql --execute='SHOW TABLES FROM trillian')" ] || sql trillian <"$SCHEMA"
}

make_trees() {
  await trillian-server
  mkdir -p "$trees"
  for name in ct rekor-v1; do # a new tree is a new log, so only where there is none
    [ -s "$trees/$name" ] || "$BIN/createtree" --admin_server="$HOST:$TRILLIAN_PORT" >"$trees/$name.new"
    [ -s "$trees/$name" ] || mv "$trees/$name.new" "$trees/$name"
  done
}

# Trust

of() { # URL DIRECTORY NAME: the address of a key's server, and when it is good
  local until=
  [ ! -e "$2/$3.until" ] || until=",end-time=$(cat "$2/$3.until")"
  echo "url=$1,start-time=$(cat "$2/$3.since")$until"
}

make_root() {
  local since words=()
  mkdir -p "$trust"
  for since in $(find "$keys" -name ca.since | sort); do
    words+=("--fulcio=$(of "$FULCIO_URL" "${since%/*}" ca),certificate-chain=${since%.since}.pem")
  done
  for since in $(find "$keys" -name tsa.since | sort); do
    words+=("--tsa=$(of "$TIMESTAMPS_URL/api/v1/timestamp" "${since%/*}" tsa),certificate-chain=${since%.since}-chain.pem")
  done
  [ ! -s "$keys/others" ] || mapfile -t -O "${#words[@]}" words <"$keys/others" # earlier logs, in cosign's words
  HOME=$DIR "$BIN/cosign" trusted-root create --out="$trust/trusted_root.json" "${words[@]}" \
    --ctfe="$(of "http://$HOST:$CT_PORT/ct" "$keys" ct),public-key=$keys/ct.pub" \
    --rekor="$(of "$REKOR1_URL" "$keys" rekor1),public-key=$keys/rekor1.pub" \
    --rekor="$(of "$REKOR2_URL" "$keys" rekor2),public-key=$keys/rekor2.pub,origin=$(origin "$REKOR2_URL")"
}

make_config() { # v1 or v2: for jobs that write to that Rekor
  local url=$REKOR1_URL since
  [ "$1" = v1 ] || url=$REKOR2_URL
  since=start-time=$(cat "$keys/ca.since"),operator=$ORGANIZATION
  mkdir -p "$trust/$1"
  HOME=$DIR "$BIN/cosign" signing-config create --out="$trust/$1/signing_config.json" \
    --fulcio="url=$FULCIO_URL,api-version=1,$since" --oidc-provider="url=$GITLAB,api-version=1,$since" \
    --rekor="url=$url,api-version=${1#v},$since" --rekor-config=ANY \
    --tsa="url=$TIMESTAMPS_URL/api/v1/timestamp,api-version=1,$since" --tsa-config=ANY
  printf '{"mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json", "trustedRoot": %s, "signingConfig": %s}\n' \
    "$(cat "$trust/trusted_root.json")" "$(cat "$trust/$1/signing_config.json")" >"$trust/$1/trust_config.json"
}

# Rotation

check_kind() { [[ $1 = ca || $1 = tsa ]] || fail "expected ca or tsa, found $1"; }

make_next() { # ca or tsa: make the key that will follow
  check_kind "$1"
  [ ! -e "$keys/next/$1.since" ] || fail "expected no next $1 yet, found one in $keys/next"
  mkdir -p "$keys/next"
  "make_$1" "$keys/next"
}

switch() { # ca or tsa: from now on use the next one
  check_kind "$1"
  [ -e "$keys/next/$1.since" ] || fail "expected a next $1 in $keys/next, found none"
  local old
  old=$keys/retired/$1-$(date -u +%Y%m%d%H%M%S)
  mkdir -p "$old"
  mv "$keys/$1"[.-]* "$old"
  now >"$old/$1.until"
  mv "$keys/next/$1"[.-]* "$keys"
}

case ${1:-} in
  keys) make_keys ;;
  serve) serve "${2:-}" ;;
  databases) make_databases ;;
  trees) make_trees ;;
  await) await "${@:2}" ;;
  trust)
    make_root
    make_config v1
    make_config v2
    ;;
  next) make_next "${2:-}" ;;
  switch) switch "${2:-}" ;;
  *) fail "expected keys, serve NAME, databases, trees, await NAME…, trust, next KIND or switch KIND, found ${1:-nothing}" ;;
esac
