import { useId } from "react";
import { drawLines, type DrawnLines, type Pen } from "./time-chart-lines";
import { PLOT } from "./time-chart-plot";
import classes from "./time-chart.module.css";

interface Stroke {
  readonly d: string;
  readonly color: string;
  readonly opacity: number;
  readonly isFilled: boolean;
  readonly width: number;
  /** Lengths of dashes and of what lies between, joined by blanks; "" for none. */
  readonly dash: string;
}

/** The lines of a chart as shapes that paper scales: how a canvas comes out there depends on the browser. */
export function PaperLines(drawn: DrawnLines) {
  const id = useId();
  const { width, height } = drawn.frame;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} className={classes.axes} aria-hidden="true">
      <clipPath id={id}>
        <rect
          x={PLOT.left}
          y={PLOT.top - 1}
          width={Math.max(0, width - PLOT.left - PLOT.right)}
          height={Math.max(0, height - PLOT.top - PLOT.bottom + 2)}
        />
      </clipPath>
      <g clipPath={`url(#${id})`}>
        {strokesOf(drawn).map(({ d, color, opacity, isFilled, width: px, dash }, i) => (
          <path
            key={i}
            d={d}
            opacity={opacity}
            strokeDasharray={dash || undefined}
            style={
              isFilled ? { fill: color } : { fill: "none", stroke: color, strokeWidth: px, strokeLinejoin: "round" }
            }
          />
        ))}
      </g>
    </svg>
  );
}

/** What is drawn, one path for each time ink is put down. The clip is the caller's. */
export function strokesOf(drawn: DrawnLines): readonly Stroke[] {
  const strokes: Stroke[] = [];
  let d = "";
  let dash = "";
  const place = (x: number, y: number) => `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
  const put = (path: string, color: unknown, isFilled: boolean) => {
    if (path !== "")
      strokes.push({ d: path, color: String(color), opacity: pen.globalAlpha, isFilled, width: pen.lineWidth, dash });
  };
  const pen: Pen = {
    globalAlpha: 1,
    lineWidth: 1,
    lineJoin: "round",
    fillStyle: "",
    strokeStyle: "",
    setLineDash(lengths) {
      dash = [...lengths].join(" ");
    },
    clearRect() {},
    save() {},
    restore() {},
    clip() {},
    rect() {},
    beginPath() {
      d = "";
    },
    moveTo(x, y) {
      d += `M${place(x, y)}`;
    },
    lineTo(x, y) {
      // As on a canvas: the first point of a path is only gone to.
      d += `${d === "" ? "M" : "L"}${place(x, y)}`;
    },
    fill() {
      put(d, pen.fillStyle, true);
    },
    stroke() {
      put(d, pen.strokeStyle, false);
    },
    fillRect(x, y, width, height) {
      put(
        `M${place(x, y)}L${place(x + width, y)}L${place(x + width, y + height)}L${place(x, y + height)}Z`,
        pen.fillStyle,
        true,
      );
    },
  };
  drawLines(pen, drawn, (token) => token);
  return strokes;
}
