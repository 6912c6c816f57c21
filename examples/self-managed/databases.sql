CREATE USER IF NOT EXISTS 'sigstore'@'${HOST}' IDENTIFIED BY '${DATABASE_PASSWORD}';
CREATE DATABASE IF NOT EXISTS rekor_index;
CREATE DATABASE IF NOT EXISTS trillian;
GRANT ALL ON rekor_index.* TO 'sigstore'@'${HOST}';
GRANT ALL ON trillian.* TO 'sigstore'@'${HOST}';
USE trillian;
