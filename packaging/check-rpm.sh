#!/usr/bin/env bash
# Looks into the .rpm: what it asks for, what it holds, and that it runs nothing when it is installed.
#
#   check-rpm.sh PACKAGE
set -euo pipefail
package=$1
fail() { echo "error: $*" >&2; exit 1; }

printf '\n== %s\n' "$package"
rpm -qp --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}, %{SIZE} bytes installed\nlicence: %{LICENSE}\n' "$package"
echo "requires:"
rpm -qp --requires "$package" | sed 's/^/  /'
files=$(rpm -qpl "$package")
echo "$files"
for file in /usr/bin/aula /usr/bin/aula-desktop /usr/lib/Aula/models/demo/aula-demo.gguf /usr/lib/Aula/THIRD-PARTY.txt \
  /usr/share/applications/Aula.desktop /usr/share/metainfo/app.aula.desktop.metainfo.xml /usr/share/licenses/aula/LICENSE-MIT; do
  grep -qx "$file" <<<"$files" || fail "$file is missing"
done
[ -z "$(rpm -qp --scripts "$package")" ] || fail "the package runs scripts"
rpm -K --nosignature "$package"
