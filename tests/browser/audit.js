// Returns what an accessibility checker would complain about: one sentence each.
() => {
  const complaints = [];
  const isShown = (element) =>
    element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) &&
    !element.closest("[aria-hidden=true]");
  const describe = (element) => element.outerHTML.slice(0, 120);

  const nameOf = (element) => {
    const labels = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
    const named = labels.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const label = [...(element.labels ?? [])].map((one) => one.textContent).join(" ");
    const parts = [named, element.getAttribute("aria-label"), label, element.textContent];
    return parts.find((part) => part?.trim())?.trim() ?? "";
  };
  const needName = "button, a[href], input, textarea, select, progress, dialog, nav, aside, [role]";
  for (const element of document.querySelectorAll(needName)) {
    const isSilent = ["status", "presentation", "none"].includes(element.getAttribute("role"));
    if (isShown(element) && !isSilent && !nameOf(element)) {
      complaints.push(`no name: ${describe(element)}`);
    }
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) {
    complaints.push(`id twice: ${id}`);
  }
  if (!document.documentElement.lang) complaints.push("the page says no language");
  if (document.querySelectorAll("main").length !== 1) complaints.push("not exactly one main");
  for (const image of document.querySelectorAll("img:not([alt])")) {
    complaints.push(`picture without words: ${describe(image)}`);
  }

  // WCAG 2.2, 1.4.3: relative luminance and contrast, 4.5 for text of this size.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgbaOf = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgbaOf(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || !isShown(element) || element.closest(":disabled")) continue;
    const pair = [rgbaOf(getComputedStyle(element).color), backgroundOf(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < 4.5) complaints.push(`contrast ${contrast.toFixed(2)}: ${describe(element)}`);
  }
  return complaints;
};
