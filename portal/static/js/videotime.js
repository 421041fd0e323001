/* Small behaviours shared by all staff pages: copying, focus after a swap, dialogs that open
   when they arrive, menus, colours, and what is said when a request fails. Words and addresses
   stand in data attributes, in the user's language. */
(function () {
  "use strict";
  const words = document.body.dataset;
  const icons = words.icons;

  const live = document.createElement("div");
  live.className = "ds-sr-only";
  live.setAttribute("role", "status");
  document.body.append(live);

  /* 1. Copy: <button data-copy="text"> or data-copy-all="#list" (every [data-copy] inside) */
  const put = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const box = document.createElement("textarea");
    box.value = text;
    box.className = "ds-sr-only";
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-all]");
    if (!button) return;
    const text =
      button.dataset.copy ||
      [...document.querySelectorAll(`${button.dataset.copyAll} [data-copy]`)].map((b) => b.dataset.copy).join("\t");
    await put(text);
    const use = button.querySelector("use");
    const before = use && use.getAttribute("href");
    if (button.hasAttribute("data-copied")) return;
    button.setAttribute("data-copied", "");
    if (use) use.setAttribute("href", `${icons}#Checkmark`);
    live.textContent = button.dataset.copy ? words.wordCopied.replace("{text}", text) : words.wordAllCopied;
    setTimeout(() => {
      button.removeAttribute("data-copied");
      if (use) use.setAttribute("href", before);
      live.textContent = "";
    }, 2000);
  });

  /* 2. After a swap: open arriving dialogs, then move focus to the one element
        that the server marked with data-vt-focus (step heading, panel title, error summary). */
  const afterSwap = () => {
    document.querySelectorAll("dialog[data-vt-open]").forEach((dialog) => {
      dialog.removeAttribute("data-vt-open");
      const opener = document.activeElement;
      const address = opener && opener.getAttribute("href");
      dialog.showModal();
      // The row that it was opened from may have been written anew meanwhile: focus goes to the same link there.
      dialog.addEventListener("close", () => {
        if (document.activeElement !== document.body && !dialog.contains(document.activeElement)) return;
        const again = opener?.isConnected ? opener : address && document.querySelector(`a[href="${CSS.escape(address)}"]`);
        (again || document.getElementById("main")).focus();
      });
    });
    const target = document.querySelector("[data-vt-focus]");
    if (!target) return;
    target.removeAttribute("data-vt-focus");
    if (!target.matches("a[href], button, input, select, textarea")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  };
  document.addEventListener("htmx:after:settle", afterSwap);
  afterSwap();

  /* What unfolds in a drawer is scrolled into sight: its foot stands still below. */
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.open && event.target.closest(".vt-drawer")) event.target.scrollIntoView({ block: "nearest" });
    },
    true
  );

  /* 3. Menus are <details class="vt-menu">: Escape and a click outside close them. */
  const close = (except) =>
    document.querySelectorAll("details.vt-menu[open], details.vt-lang[open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
  document.addEventListener("click", (event) => close(event.target.closest("details.vt-menu, details.vt-lang")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.vt-menu[open], details.vt-lang[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  /* 4. Colours: chosen in the user menu, remembered by this browser. */
  document.addEventListener("change", (event) => {
    if (!event.target.closest("[data-vt-schemes]")) return;
    const scheme = event.target.value;
    document.documentElement.dataset.colorScheme = scheme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `scheme=${scheme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  });

  /* 5. A form or a choice that sends itself: data-vt-submit on the control. */
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-vt-submit]")) event.target.form.requestSubmit();
  });

  /* 6. A request that fails says so, and the page stays as it was. Polling stays quiet. */
  const complain = (text) => {
    const place = document.getElementById("messages");
    if (!place) return;
    const box = document.createElement("div");
    box.className = "ds-alert vt-flash";
    box.dataset.color = "danger";
    box.setAttribute("role", "alert");
    const line = document.createElement("p");
    line.className = "ds-paragraph";
    line.textContent = text;
    box.append(line);
    place.replaceChildren(box);
    place.scrollIntoView({ block: "nearest" });
  };
  const polled = (event) => (event.target.getAttribute?.("hx-trigger") || "").includes("every");
  /* What saves itself says where it otherwise says when it was saved, and tries again: nobody is torn from her field. */
  let unsaved = null;
  let timer;
  const saveAgain = () => {
    clearTimeout(timer);
    if (unsaved?.isConnected) unsaved.dispatchEvent(new Event("again"));
    unsaved = null;
  };
  addEventListener("online", saveAgain);
  const saveLater = (keeper) => {
    const place = document.querySelector(keeper.getAttribute("hx-target"));
    if (place) place.textContent = words.wordNotSaved;
    unsaved = keeper;
    clearTimeout(timer);
    timer = setTimeout(saveAgain, 5000);
  };
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx.response.status;
    if (polled(event) || status === 422 || status === 409 || status === 401) return;
    if (event.target.matches?.("[data-vt-keeps]") && status >= 500) saveLater(event.target);
    else complain(status === 403 || status === 404 ? words.wordNotAllowed : words.wordFailed);
  });
  document.addEventListener("htmx:error", (event) => {
    if (polled(event) || event.detail.error?.name === "AbortError") return;
    if (event.target.matches?.("[data-vt-keeps]")) saveLater(event.target);
    else complain(words.wordNoNetwork);
  });

  /* 7. Two minutes before an idle session ends: stay, or be signed out. What is typed stays on the page. */
  const idle = document.getElementById("idle");
  if (idle) {
    const minute = 60000;
    const limit = Number(idle.dataset.minutes) * minute;
    const part = (name) => idle.querySelector(`[data-vt-idle="${name}"]`);
    let since = Date.now();
    const again = () => {
      since = Date.now();
      if (!part("over").hidden) return;
      if (idle.open) idle.close();
    };
    document.addEventListener("htmx:after:request", (event) => {
      if (!polled(event) && event.detail.ctx.response?.status < 400) again();
    });
    idle.querySelector("[data-vt-stay]").addEventListener("click", async () => {
      const answer = await fetch(idle.dataset.stay, { method: "HEAD", redirect: "manual" }).catch(() => null);
      if (answer?.ok) again();
      else over();
    });
    idle.addEventListener("cancel", (event) => part("soon").hidden || event.preventDefault());
    const over = () => {
      part("soon").hidden = true;
      part("over").hidden = false;
      if (!idle.open) idle.showModal();
      part("over").querySelector("a").focus();
    };
    /* The session ended elsewhere while she typed: the page stays with all that stands in its fields. */
    document.addEventListener("htmx:response:error", (event) => {
      if (event.detail.ctx.response.status === 401) over();
    });
    setInterval(() => {
      const away = Date.now() - since;
      if (away >= limit - 2 * minute && !idle.open && part("over").hidden) idle.showModal();
      if (away >= limit && part("over").hidden) over();
    }, 10000);
  }
})();
