# Sourced by the scripts at the root: finds what they stand on, or says what to install.
if ! command -v dotnet >/dev/null 2>&1; then
  for folder in "${DOTNET_ROOT:-}" "$HOME/.dotnet" /usr/share/dotnet /usr/lib/dotnet; do
    if [ -n "$folder" ] && [ -x "$folder/dotnet" ]; then PATH="$folder:$PATH"; break; fi
  done
fi
missing=()
command -v dotnet >/dev/null 2>&1 || missing+=("the .NET 10 SDK (package dotnet-sdk-10.0)")
command -v node >/dev/null 2>&1 || missing+=("Node 18 or later (packages nodejs and npm)")
if [ "${#missing[@]}" -gt 0 ]; then
  printf 'Mangrove needs %s. Install it and try again.\n' "${missing[@]}" >&2
  exit 1
fi
# The executables look for the runtime here; an SDK unpacked into a home folder is not found otherwise.
if [ -z "${DOTNET_ROOT:-}" ]; then
  resolved="$(readlink -f -- "$(command -v dotnet)" 2>/dev/null || command -v dotnet)"
  if [ -d "$(dirname -- "$resolved")/shared" ]; then DOTNET_ROOT="$(dirname -- "$resolved")"; export DOTNET_ROOT; fi
  unset resolved
fi
unset missing
