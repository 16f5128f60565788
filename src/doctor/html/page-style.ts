/** The page's one style sheet. Colours are pairs that reach a contrast of 4.5 to 1; what they say is said in words, too. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;
--paper:#faf9f6;--card:#fff;--ink:#1d1c1a;--quiet:#5d5a54;--line:#dcd8ce;--accent:#1a5c8a;
--good:#1a6639;--good-soft:#e6f2ea;--bad:#a3231a;--bad-soft:#fbe9e6;--warn:#754f00;--warn-soft:#f9efd9;--quiet-soft:#f0ede6;
--sans:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
--mono:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--paper:#141517;--card:#1c1e21;--ink:#e9e6e0;--quiet:#a8a59e;--line:#363940;--accent:#8fc6f0;
--good:#84d3a0;--good-soft:#18301f;--bad:#ffa094;--bad-soft:#3b1f1c;--warn:#ebc274;--warn-soft:#332913;--quiet-soft:#25272b}}
@media print{:root{color-scheme:light;
--paper:#fff;--card:#fff;--ink:#000;--quiet:#444;--line:#bbb;--accent:#000;
--good:#0c4a24;--good-soft:#fff;--bad:#8a1109;--bad-soft:#fff;--warn:#5a3c00;--warn-soft:#fff;--quiet-soft:#fff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 var(--sans);overflow-wrap:anywhere}
header,main,footer{max-width:62rem;margin:0 auto;padding:0 clamp(.75rem,4vw,2rem)}
header{padding-top:clamp(1.5rem,6vw,3.5rem)}
footer{padding-top:2rem;padding-bottom:3rem;color:var(--quiet);font-size:.875rem}
h1,h2,h3,h4{line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em}
h1{font-size:clamp(1.35rem,4.5vw,1.9rem)}
h1 code{font-size:.8em;font-weight:500}
h2{font-size:1.2rem;margin:2.75rem 0 .75rem}
h3{font-size:1rem}
p{margin:.5rem 0}
a{color:var(--accent);text-underline-offset:.2em}
code,pre{font-family:var(--mono);font-size:.85em}
code{unicode-bidi:isolate}
pre{margin:.25rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:2}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.25rem}
.skip{position:absolute;left:-100vw;top:.5rem;padding:.5rem 1rem;background:var(--card);border:1px solid var(--line)}
.skip:focus{left:.5rem;z-index:3}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.over{margin:0 0 .25rem;color:var(--quiet);font-size:.875rem}
.verdict{display:flex;gap:1rem;align-items:flex-start;margin:1.5rem 0 0;padding:1rem 1.25rem;border:1px solid currentColor;border-radius:.75rem}
.verdict .mark{flex:none;width:2rem;height:2rem;display:grid;place-items:center;border:2px solid currentColor;border-radius:50%;font-weight:700;line-height:1}
.verdict strong{display:block;font-size:1.1rem;line-height:1.35}
.verdict p{margin:.15rem 0 0;color:var(--ink)}
.good{color:var(--good);background:var(--good-soft)}
.bad{color:var(--bad);background:var(--bad-soft)}
.warn{color:var(--warn);background:var(--warn-soft)}
.quiet{color:var(--quiet);background:var(--quiet-soft)}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.25rem 1.5rem;margin:1.5rem 0 0}
.counts div{display:flex;flex-direction:column-reverse;justify-content:flex-end;border-top:1px solid var(--line);padding-top:.6rem}
.counts dt{color:var(--quiet);font-size:.875rem}
.counts dd{margin:0;font-size:1.6rem;font-weight:600;line-height:1.15;font-variant-numeric:tabular-nums}
.strip{display:block;width:100%;height:2.75rem;margin:1.75rem 0 0}
.strip .list{fill:var(--quiet)}
.strip .history{fill:var(--accent)}
.strip .gone{fill:var(--bad)}
.strip .gap{fill:none;stroke:var(--bad);stroke-width:1;stroke-dasharray:3 2;vector-effect:non-scaling-stroke}
.key{margin:.4rem 0 0;color:var(--quiet);font-size:.8125rem}
.jump{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1rem 0 0;padding:0;list-style:none;font-size:.9375rem}
.jump a,.next{display:inline-block;padding:.25rem 0}
ul.plain{margin:0;padding:0;list-style:none}
ul.plain>li{padding:.5rem 0;border-top:1px solid var(--line)}
.lanes,.row{display:grid;grid-template-columns:minmax(6.5rem,13rem) minmax(0,1fr);column-gap:1rem}
.lanes{position:sticky;top:0;z-index:2;margin:0;padding:.5rem 0;background:var(--paper);border-bottom:1px solid var(--line);color:var(--quiet);font-size:.8125rem;letter-spacing:.04em;text-transform:uppercase}
.turn{padding:1.5rem 0 .25rem}
.long .turn{content-visibility:auto;contain-intrinsic-size:auto 22rem}
.turn>.head{display:flex;flex-wrap:wrap;gap:.1rem .75rem;align-items:baseline;margin-bottom:.6rem}
.turn>.head p{margin:0;color:var(--quiet);font-size:.875rem}
ol.items{margin:0;padding:0;list-style:none}
.row{padding:0 0 .6rem;scroll-margin-top:3rem}
.slot{position:relative;display:flex;gap:.6rem;align-items:baseline;min-height:2.9rem;padding:.65rem .8rem;border:1px solid var(--line);border-radius:.6rem;background:var(--quiet-soft);color:var(--quiet);font-size:.875rem}
.slot .n{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
.slot.empty{background:none;border-style:dashed;border-color:currentColor}
.slot.gone{color:var(--bad);border-width:2px}
.card{min-width:0;padding:.65rem .9rem .75rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card)}
.card.hurt{border-color:var(--bad);border-left-width:.3rem}
.card.none{background:none;border-style:dashed;color:var(--quiet)}
.row:target .card{outline:3px solid var(--accent);outline-offset:2px}
.title{display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
.title h4{font-size:1rem}
.title .no{color:var(--quiet);font-variant-numeric:tabular-nums}
.badges{display:flex;flex-wrap:wrap;gap:.35rem;margin:.45rem 0 0;padding:0;list-style:none}
.badges li{padding:.1rem .55rem;border:1px solid currentColor;border-radius:1rem;font-size:.8125rem;font-weight:550}
.where{margin:.5rem 0 0;color:var(--quiet);font-size:.8125rem}
.content{margin-top:.6rem;padding-top:.6rem;border-top:1px solid var(--line)}
.content>*+*{margin-top:.6rem}
.said{white-space:pre-wrap;unicode-bidi:plaintext}
.label{margin:0;color:var(--quiet);font-size:.8125rem}
.media{display:flex;gap:.5rem;align-items:baseline;padding:.4rem .6rem;border:1px dashed var(--line);border-radius:.4rem;font-size:.875rem}
table.all{width:100%;border-collapse:collapse;font-size:.9375rem;font-variant-numeric:tabular-nums}
table.all th,table.all td{padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}
table.all th{color:var(--quiet);font-size:.8125rem;font-weight:550}
table.all .tag{padding:.05rem .5rem;border:1px solid currentColor;border-radius:1rem;font-size:.8125rem;white-space:nowrap}
summary{cursor:pointer;padding:.25rem 0;color:var(--accent)}
@media (max-width:36rem){
.lanes,.row{grid-template-columns:3.6rem minmax(0,1fr);column-gap:.5rem}
.slot{justify-content:center;gap:.2rem;padding:.65rem .1rem;font-size:.75rem}
.slot .kind{display:none}
.card{padding:.6rem .7rem .7rem}
.verdict{gap:.75rem;padding:.85rem 1rem}}
@media (forced-colors:active){.strip .list,.strip .history{fill:CanvasText}.strip .gone{fill:Mark}}
@media print{
body{font-size:10pt}
.long .turn{content-visibility:visible}
.lanes{position:static}
.jump,.next,.skip{display:none}
.row,.verdict{break-inside:avoid}
h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;height:auto}}
`;
