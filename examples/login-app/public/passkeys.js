// Lets the browser make or use a passkey, and sends its form with what the browser gave.
import { canUsePasskeys, createPasskey, usePasskey } from "/candado-browser.js";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const told = form.querySelector(".told");
  const ask = { create: createPasskey, use: usePasskey }[form.dataset.passkey];
  if (!canUsePasskeys()) {
    told.textContent = "This browser cannot use passkeys here.";
    continue;
  }
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    told.textContent = "Follow the steps your device shows.";
    try {
      form.elements.credential.value = JSON.stringify(await ask(JSON.parse(form.dataset.publicKey)));
      form.requestSubmit();
    } catch {
      // Cancelled, timed out or none here: the browser does not say which.
      told.textContent = "That did not finish. Try again, or use another way.";
      // After app.js has disabled it, however soon this is.
      setTimeout(() => (form.querySelector("button").disabled = false), 10);
    }
  });
  form.querySelector("button").disabled = false;
}
