// The application's colour, made readable whatever it is. A pure function of `#rrggbb` and the theme; its test sweeps
// the whole cube. Conversions: Björn Ottosson, "A perceptual color space for image processing" (OKLab); contrast:
// WCAG 2.2, "relative luminance".

export type Theme = "light" | "dark";

type Rgb = [red: number, green: number, blue: number];

/** The surfaces that text in the accent's colour stands on. The style sheet has the same values, and a test compares. */
export const surfaces: Record<Theme, { card: string; page: string; sunken: string }> = {
  light: { card: "#ffffff", page: "#f5f7f9", sunken: "#edf1f4" },
  dark: { card: "#171d25", page: "#0f141a", sunken: "#202833" },
};

export interface Accent {
  /** The fill of the primary button: the brand's colour as it is. */
  accent: string;
  /** Text on it: black or white, whichever contrasts more. */
  onAccent: string;
  hover: string;
  /** Where hovering cannot change the colour, the label is underlined. */
  hoverUnderlines: boolean;
  /** Under 3:1 against the card the button needs a border of its own. */
  needsBorder: boolean;
  /** Links, icons and focus: at least 4.5:1 on card, page and sunken. */
  accentText: string;
}

const STEP = 0.01;
const HOVER_STEP = 0.06;

const parse = (colour: string): Rgb => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255) as Rgb;
const print = (rgb: Rgb) => `#${rgb.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;

const toLinear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const fromLinear = (part: number) => (part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055);

function luminance(colour: string): number {
  const [red, green, blue] = parse(colour).map(toLinear) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

interface Oklch {
  lightness: number;
  chroma: number;
  /** Radians. */
  hue: number;
}

function toOklch(colour: string): Oklch {
  const [r, g, b] = parse(colour).map(toLinear) as Rgb;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const blue = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return {
    lightness: 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    chroma: Math.hypot(a, blue),
    hue: Math.atan2(blue, a),
  };
}

function toLinearRgb({ lightness, chroma, hue }: Oklch): Rgb {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

const inGamut = (rgb: Rgb) => rgb.every((part) => part >= -0.0001 && part <= 1.0001);

/** The colour of that lightness and hue with as much of the chroma as the screen can show. */
function fromOklch(colour: Oklch): string {
  let [low, high] = [0, colour.chroma];
  if (inGamut(toLinearRgb(colour))) low = high;
  else for (let turn = 0; turn < 16; turn++) {
    const middle = (low + high) / 2;
    if (inGamut(toLinearRgb({ ...colour, chroma: middle }))) low = middle;
    else high = middle;
  }
  const linear = toLinearRgb({ ...colour, chroma: low });
  return print(linear.map((part) => fromLinear(Math.min(1, Math.max(0, part)))) as Rgb);
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** Null for anything that is not `#rrggbb`: it never reaches a style sheet. */
export function accentOf(brand: string, theme: Theme): Accent | null {
  if (!/^#[0-9a-f]{6}$/i.test(brand)) return null;
  const accent = brand.toLowerCase();
  const { card, page, sunken } = surfaces[theme];
  const onAccent = contrast(accent, "#ffffff") > contrast(accent, "#000000") ? "#ffffff" : "#000000";

  const colour = toOklch(accent);
  const away = onAccent === "#ffffff" ? -HOVER_STEP : HOVER_STEP;
  const hover = fromOklch({ ...colour, lightness: clamp(colour.lightness + away) });

  let accentText = accent;
  const direction = theme === "light" ? -STEP : STEP;
  for (let lightness = colour.lightness; lightness >= 0 && lightness <= 1; lightness += direction) {
    if ([card, page, sunken].every((surface) => contrast(accentText, surface) >= 4.5)) break;
    accentText = fromOklch({ ...colour, lightness: clamp(lightness + direction) });
  }
  return { accent, onAccent, hover, hoverUnderlines: hover === accent, needsBorder: contrast(accent, card) < 3, accentText };
}
