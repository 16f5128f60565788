// oxlint-disable unicorn/consistent-function-scoping -- a probe goes to the browser alone: what stands outside of it stays here
// Run in the browser: each looks at the page that is open. Nothing from outside is in reach there.

/** The contrast of every text with what is behind it, and how light the page is. */
export function contrasts() {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''),
  );
  const measured = texts.map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    return { text: element.textContent, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
  });
  return { texts: measured, page: luminance(getComputedStyle(document.body).backgroundColor) };
}

/** How wide the page is, and what reaches beyond its edge. */
export function widths() {
  const edge = document.documentElement.clientWidth;
  const outside = [...document.querySelectorAll('body *:not(.skip)')].filter(
    (element) => element.getBoundingClientRect().right > edge + 0.5,
  );
  return {
    scroll: document.documentElement.scrollWidth,
    outside: outside.map((element) => element.outerHTML.slice(0, 80)),
  };
}

export function focused() {
  return document.activeElement?.innerText ?? '';
}

export function outlineOf(element) {
  return getComputedStyle(element).outlineStyle;
}

/** The level of each heading, in order. */
export function headingLevels() {
  return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(({ tagName }) => Number(tagName.slice(1)));
}

/** What should not be there, and what should be there once. */
export function inventory() {
  const count = (selector) => document.querySelectorAll(selector).length;
  return {
    hacked: window.hacked,
    strange: count('script,img,iframe,base,link,form,body style,[onerror],[onmouseover]'),
    headings: count('h1'),
    metas: count('meta'),
    display: getComputedStyle(document.body).display,
  };
}

/** Puts a script and a picture into the page. @returns what the script has done. */
export function inject() {
  const script = document.createElement('script');
  script.textContent = 'window.hacked = 1';
  const image = document.createElement('img');
  image.src = 'https://tracker.test/p.png';
  document.body.append(script, image);
  return window.hacked;
}

/** How the page looks on paper. */
export function onPaper() {
  return {
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    jump: getComputedStyle(document.querySelector('.jump')).display,
    unfolded: document
      .querySelector('#item-100 details .said')
      .checkVisibility({ contentVisibilityAuto: true }),
  };
}
