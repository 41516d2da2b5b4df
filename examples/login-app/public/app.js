// What pages do beyond HTML. Every page works without it.

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/** Counts down to the moment a form can be sent again. */
for (const timer of document.querySelectorAll("[data-seconds]")) {
  const end = Date.now() + Number(timer.dataset.seconds) * 1000;
  const box = timer.closest(".notice");
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      timer.textContent = clock(left);
      setTimeout(tick, 250);
      return;
    }
    box.classList.replace("bad", "good");
    box.querySelector(".icon").remove();
    box.querySelector("p").textContent = "You can try again now.";
    if ("locks" in box.dataset) for (const fieldset of document.querySelectorAll("fieldset:disabled")) fieldset.disabled = false;
    document.querySelector("input.code")?.focus();
  };
  tick();
}

/** A code that came by SMS, from phones that hand it over (WebOTP); its form is sent by itself. */
const smsField = document.querySelector("[data-sms]");
if (smsField && "OTPCredential" in window) {
  const giveUp = new AbortController();
  smsField.form.addEventListener("submit", () => giveUp.abort());
  navigator.credentials.get({ otp: { transport: ["sms"] }, signal: giveUp.signal }).then(
    ({ code }) => {
      smsField.value = code;
      smsField.form.requestSubmit();
    },
    // The user types it.
    () => {},
  );
}

/** The tools beside the recovery codes. */
for (const hidden of document.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
const linesOf = (selector) => [...document.querySelectorAll(`${selector} li`)].map((item) => item.textContent.trim()).join("\n") + "\n";
const tell = (text) => (document.querySelector(".told").textContent = text);

document.addEventListener("click", async ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return;
  const { copy, download, name, print } = target.dataset;
  if (copy) {
    await navigator.clipboard.writeText(linesOf(copy)).then(() => tell("Copied"), () => tell("Please select the codes and copy them"));
  } else if (download) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`Recovery codes for Meadow\n\n${linesOf(download)}`], { type: "text/plain" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } else if (print !== undefined) {
    window.print();
  }
});

/** A form is sent once, however often its button is pressed. */
document.addEventListener("submit", ({ target }) => {
  const button = target.querySelector("button:not([type=button])");
  setTimeout(() => button && (button.disabled = true));
  addEventListener("pageshow", () => button && (button.disabled = false), { once: true });
});
