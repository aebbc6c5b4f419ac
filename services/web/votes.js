// Votes of blind (and open) comparisons; they stay in this browser until they are exported.

const KEY = "earwitness-votes";

export class Votes {
  constructor(section, place, exportButton, forgetButton) {
    this.section = section;
    this.place = place;
    exportButton.addEventListener("click", () => this.download());
    forgetButton.addEventListener("click", () => confirm("Delete all votes in this browser?") && this.store([]));
    this.show();
  }

  all() {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  }

  add({ question, choices, names, blind, answers, winner }) {
    const replies = answers.map((answer) => answer.choice?.text ?? answer.reply);
    const shown = { A: { model: names[0], answer: replies[0] }, B: { model: names[1], answer: replies[1] } };
    this.store([...this.all(), { at: new Date().toISOString(), question, choices, ...shown, blind, winner }]);
  }

  store(votes) {
    localStorage.setItem(KEY, JSON.stringify(votes));
    this.show();
  }

  show() {
    const votes = this.all();
    const wins = new Map();
    for (const vote of votes) if (vote[vote.winner]) wins.set(vote[vote.winner].model, (wins.get(vote[vote.winner].model) ?? 0) + 1);
    const tally = [...wins].map(([model, count]) => `${model} won ${count}`).join(", ");
    this.place.textContent = `${votes.length} in this browser${tally ? `: ${tally}` : ""}.`;
    this.section.hidden = !votes.length;
  }

  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(this.all(), null, 1)], { type: "application/json" }));
    link.download = "earwitness-votes.json";
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
