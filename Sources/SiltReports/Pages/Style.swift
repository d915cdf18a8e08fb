/// How pages look: system fonts, two themes, and paper.
enum Style {
    /// Colours that people with any kind of colour vision tell apart, of enough contrast to the ground in each theme.
    private static let light: Markup = """
        --ground: #ffffff; --panel: #f5f6f7; --ink: #1c2024; --faint: #5c646c; --line: #d9dde1; --grid: #e8ebee;
        --c0: #0068a8; --c1: #c45100; --c2: #00805e; --c3: #a8438a; --c4: #8a6500; --c5: #4a4f55;
        --good: #00704f; --bad: #b3261e;
        """

    private static let dark: Markup = """
        --ground: #14171a; --panel: #1d2125; --ink: #e6e9ec; --faint: #a0a8b0; --line: #3a4046; --grid: #2a2f34;
        --c0: #5bb4ec; --c1: #f28a45; --c2: #35c49a; --c3: #e58fc4; --c4: #e3b53a; --c5: #c3c8cd;
        --good: #45cfa5; --bad: #ff8a80;
        """

    /// The style sheet.
    static let sheet: Markup = """
        :root { color-scheme: light dark; \(light) }
        @media screen and (prefers-color-scheme: dark) { :root { \(dark) } }
        * { box-sizing: border-box; }
        html { background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%; }
        body { margin: 0; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell,
          "Helvetica Neue", Arial, sans-serif; }
        main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 28px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; margin: 4px 0 8px; }
        h2 { font-size: 18px; line-height: 1.3; font-weight: 600; margin: 0 0 12px; }
        p { margin: 0 0 12px; max-width: 72ch; }
        section { margin-top: 44px; }
        .kicker, figcaption, caption, .note { color: var(--faint); font-size: 13px; }
        .kicker { margin: 0; }
        .name, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
          font-size: 0.9em; overflow-wrap: anywhere; }
        .status { display: flex; align-items: baseline; font-weight: 600; margin: 12px 0; }
        .status span { flex: none; width: 1.6em; height: 1.6em; line-height: 1.6em; margin-right: 8px;
          border-radius: 50%; text-align: center; color: var(--ground); }
        .good { color: var(--good); } .good span { background: var(--good); }
        .bad { color: var(--bad); } .bad span { background: var(--bad); }
        .facts { display: grid; grid-template-columns: repeat(var(--columns), 1fr); gap: 1px; margin: 20px 0 0;
          background: var(--line); border: 1px solid var(--line); }
        .facts div { background: var(--ground); padding: 10px 12px; }
        .facts dt { color: var(--faint); font-size: 13px; }
        .facts dd { margin: 0; font-size: 18px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        figure { margin: 0; }
        figcaption { margin-top: 8px; max-width: 84ch; }
        svg { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
        svg.narrow { display: none; }
        svg text { fill: var(--ink); unicode-bidi: isolate; }
        svg .tick { fill: var(--faint); font-variant-numeric: tabular-nums; }
        svg .axis-title { fill: var(--faint); font-size: 12.5px; }
        svg .grid { stroke: var(--grid); fill: none; }
        svg .axis { stroke: var(--faint); fill: none; }
        svg .reference { stroke: var(--ink); stroke-dasharray: 5 4; fill: none; }
        svg .reference-words, svg .label, svg .row { paint-order: stroke; stroke: var(--ground); stroke-width: 4px;
          stroke-linejoin: round; }
        svg .label { font-weight: 600; }
        svg .front { stroke: var(--ink); stroke-width: 1.5; fill: none; opacity: 0.55; }
        svg .whisker { stroke: var(--c); stroke-width: 1.3; fill: none; }
        svg .mark { stroke: var(--c); stroke-width: 1.6; }
        svg .full { fill: var(--c); } svg .hollow { fill: var(--ground); }
        svg .dots { stroke: var(--c); stroke-width: 8; stroke-linecap: round; stroke-opacity: 0.6; fill: none; }
        svg .band { stroke: var(--c); stroke-width: 2; fill: none; stroke-opacity: 0.6; }
        svg .fill { fill: var(--c); fill-opacity: 0.35; }
        svg .outline { stroke: var(--c); stroke-width: 2.4; fill: none; stroke-linejoin: round; }
        svg.key { display: inline-block; width: 16px; height: 16px; vertical-align: -3px; margin-right: 4px; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); }
        .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 10px; padding: 0; list-style: none;
          font-size: 13px; }
        .swatch { display: inline-block; width: 16px; height: 11px; margin-right: 5px; vertical-align: -1px; }
        .scroll { overflow-x: auto; } figure + .scroll, details figure + figure { margin-top: 20px; }
        table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
        caption { text-align: left; padding-bottom: 6px; }
        th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--grid); vertical-align: top;
          font-weight: 400; }
        th:last-child, td:last-child { padding-right: 0; }
        thead th { color: var(--faint); border-bottom-color: var(--line); vertical-align: bottom; }
        .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        tr.front { background: var(--panel); } tr.front th, tr.front td { font-weight: 600; }
        tr.apart td, tr.apart th { color: var(--faint); }
        th .name { display: inline-block; min-width: 11em; }
        .options { display: inline-block; min-width: 14em; } .nowrap { white-space: nowrap; } .options span { white-space: nowrap; }
        td.bar { width: 38%; min-width: 90px; vertical-align: middle; }
        .bar > span { display: flex; height: 13px; }
        .bar i { display: block; min-width: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        .solid { background: var(--c); }
        .hatched { background: repeating-linear-gradient(135deg, var(--c) 0 2px, transparent 2px 5px);
          box-shadow: inset 0 0 0 1px var(--c); }
        .empty { box-shadow: inset 0 0 0 1px var(--c); }
        details { margin-top: 14px; } summary { cursor: pointer; color: var(--faint); }
        details[open] > summary { margin-bottom: 10px; }
        footer { margin-top: 56px; padding-top: 12px; border-top: 1px solid var(--line); color: var(--faint);
          font-size: 13px; overflow-wrap: anywhere; }
        @media screen and (max-width: 640px) {
          main { padding: 20px 14px 48px; } h1 { font-size: 23px; } section { margin-top: 34px; }
          svg.wide { display: none; } svg.narrow { display: block; }
          .facts { grid-template-columns: 1fr 1fr; } .facts div:last-child:nth-child(odd) { grid-column: 1 / -1; } .facts dd { font-size: 16px; }
          .optional { display: none; } th .name { min-width: 8em; } td.bar { width: 26%; min-width: 60px; }
          th, td { padding-right: 8px; }
        }
        @media print {
          main { max-width: none; padding: 0; } body { font-size: 10.5pt; }
          figure, .facts, tr { break-inside: avoid; } h2, .legend, caption { break-after: avoid; }
          .scroll { overflow: visible; }
        }
        """
}
