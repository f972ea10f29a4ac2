// Passkeys: what only a script can ask a browser for. Where it has none, what needs them stays hidden.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !window.isSecureContext) return;

  // JSON has no bytes: they travel in base64url, both ways. Some browsers and managers of passwords have no
  // conversion of their own yet, and some a wrong one.
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const listed = (credentials) => (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const send = async (address, body) => {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error || "");
    return said;
  };

  const made = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: listed(options.excludeCredentials),
    };
    const { id, rawId, type, response } = await navigator.credentials.create({ publicKey });
    return {
      id,
      rawId: text(rawId),
      type,
      response: {
        clientDataJSON: text(response.clientDataJSON),
        attestationObject: text(response.attestationObject),
        transports: response.getTransports ? response.getTransports() : [],
      },
    };
  };

  const signed = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: listed(options.allowCredentials),
    };
    const { id, rawId, type, response } = await navigator.credentials.get({ publicKey });
    return {
      id,
      rawId: text(rawId),
      type,
      response: {
        clientDataJSON: text(response.clientDataJSON),
        authenticatorData: text(response.authenticatorData),
        signature: text(response.signature),
        userHandle: response.userHandle ? text(response.userHandle) : null,
      },
    };
  };

  // What went wrong, in words: ours where the desk said them, else by what the browser calls it.
  const says = (form, error) => {
    if (error.name === "NotAllowedError" || error.name === "AbortError") return form.dataset.stopped;
    if (error.name === "InvalidStateError") return form.dataset.twice || form.dataset.failed;
    if (error.name === "Error" && error.message) return error.message;
    return form.dataset.failed;
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const line = form.querySelector("[role=alert]");
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      line.textContent = "";
      button.disabled = true;
      const fields = Object.fromEntries(new FormData(form));
      try {
        const options = await send(form.dataset.options, fields);
        const credential = await (form.dataset.passkey === "add" ? made : signed)(options);
        location.assign((await send(form.action, { ...fields, credential })).to);
      } catch (error) {
        line.textContent = says(form, error);
        button.disabled = false;
      }
    });
    form.hidden = false;
  }
})();
