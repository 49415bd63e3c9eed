// Letters to families in Japanese.
#include "relay/core/mail_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::mail_text_parts {
namespace {

std::string quoted(std::string_view name) { return joined({"「", name, "」"}); }
std::string subject_of(std::string_view rest) { return joined({"【ともしび】", rest}); }

std::string thing(const shown_facts& f) { return f.appliance.empty() ? "見守りの機器" : quoted(f.appliance); }

std::string greeting(const shown_facts& f) { return f.reader.empty() ? "ご家族の皆さま" : f.reader + " 様"; }

std::string footer(const shown_facts& f) {
  return joined({"----\n時刻は、見守り先のご自宅の時刻（", f.time.zone(), "）で書いています。\n",
                 "このメールは、見守りサービス「ともしび」が自動でお送りしています。"});
}

std::string use_line(const other_use& other, const shown_facts& f) {
  std::string line = joined({"・", one_line(other.label), "：",
                             other.last_use ? f.time.slot(*other.last_use) : "見守りを始めてから、使われた記録はありません"});
  if (!other.visible) line += "（いまは様子を確認できていません）";
  return line;
}

// What else was seen; says so when there is nothing else to see.
std::string others_block(const shown_facts& f, std::string_view title) {
  std::string out = joined({"■ ", title});
  const auto& others = f.facts->others;
  if (others.empty()) return out + "\nほかに見守っている家電はありません。";
  for (std::size_t i = 0; i < others.size() && i < others_shown_max; ++i) out += "\n" + use_line(others[i], f);
  if (others.size() > others_shown_max) out += joined({"\n・ほか", std::to_string(others.size() - others_shown_max), "台"});
  return out;
}

std::string last_use_block(const shown_facts& f) {
  const auto& e = f.facts->what;
  if (e.last_use) return joined({"■ 最後に使われたのは\n", f.time.slot(*e.last_use)});
  return joined({"■ 最後に使われたのは\n見守りを始めた", f.time.date(start_of(e.key.since)),
                 "からあと、使われた記録はありません。"});
}

std::string unseen_block(const shown_facts& f) {
  const auto unknown = f.facts->what.unknown_slots;
  if (unknown <= 0) return "■ 確認できなかった時間\nありません。";
  return joined({"■ 確認できなかった時間\n通信や機器の都合で、合わせて", f.time.duration(slots_length(unknown)),
                 "は確認できませんでした。\nこの間に使われたかどうかはわかりません。上の日数には数えていません。"});
}

std::string since_block(const shown_facts& f) {
  const auto from = start_of(f.facts->what.key.since);
  return joined({"■ いつから\n", f.time.moment(from), "ごろから（このメールの時点で",
                 f.time.duration(f.facts->now - from), "）"});
}

std::string stretch_block(const shown_facts& f) {
  const auto from = start_of(f.facts->what.key.since);
  const auto until = stretch_end(f.facts->what, f.facts->now);
  return joined({"■ 確認できなかった時間\n", f.time.moment(from), "ごろから\n", f.time.moment(until), "ごろまで（",
                 f.time.duration(until - from), "）"});
}

std::string_view cause_text(blind_cause cause) {
  switch (cause) {
    case blind_cause::line_down:
      return "ご自宅の中継装置との通信が途切れています。停電、回線やルーターの不具合、電源の切れなどが考えられます。";
    case blind_cause::gateway_off:
      return "ご自宅の中継装置の電源が切れていた時間があります。停電や、コンセントの抜けが考えられます。";
    case blind_cause::device_silent:
      return "家電につないだ機器から返事がありません。コンセントの抜けや、機器の不具合が考えられます。";
    case blind_cause::relay_off:
      return "私どもの側の設備が止まっていました。ご自宅の側の問題ではありません。ご迷惑をおかけして申し訳ありません。";
    case blind_cause::none:
    case blind_cause::no_data: break;
  }
  return "家電の記録が届いていません。わけは、まだわかっていません。";
}

std::string_view blind_advice(blind_cause cause) {
  switch (cause) {
    case blind_cause::line_down:
    case blind_cause::gateway_off:
      return "・ふたたび確認できるまでは、お電話などで直接ご様子をお確かめください。\n"
             "・ご自宅にどなたかがいらっしゃるときは、中継装置とルーターの電源が入っているかをご覧いただけると助かります。";
    case blind_cause::device_silent:
      return "・ふたたび確認できるまでは、お電話などで直接ご様子をお確かめください。\n"
             "・ご自宅にどなたかがいらっしゃるときは、家電につないだ機器がコンセントに差さっているかをご覧いただけると助かります。";
    default: return "・ふたたび確認できるまでは、お電話などで直接ご様子をお確かめください。";
  }
}

notice_text unused_opened(const shown_facts& f) {
  const auto days = std::to_string(whole_days(f.facts->what.off_slots));
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", quoted(f.appliance), "が、", days, "日間使われていません。\n",
                         "お知らせする日数（", days, "日）になりましたので、ご連絡いたします。"}));
  text.paragraph("お出かけやお泊まり、過ごし方の変化でも、このお知らせは届きます。\n"
                 "何かあったと決まったわけではありませんが、一度ご様子をお確かめください。");
  text.paragraph(last_use_block(f));
  text.paragraph(others_block(f, "ほかの家電が最後に使われたのは"));
  text.paragraph(unseen_block(f));
  text.paragraph("■ お願いしたいこと\n・まずはお電話などで、ご本人とお話しになってみてください。\n"
                 "・連絡がつかないときは、お近くの方に訪ねていただくか、ご自身でお訪ねください。\n"
                 "・お出かけなど、わけがおわかりの場合は、何もしていただかなくてかまいません。");
  text.paragraph(joined({quoted(f.appliance), "がまた使われましたら、もう一度お知らせします。"}));
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", quoted(f.appliance), "が", days, "日間使われていません"})), text.take()};
}

notice_text unused_closed(const shown_facts& f) {
  const auto& e = f.facts->what;
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", quoted(f.appliance), "が、また使われました。\n",
                         "先日の「使われていません」というお知らせは、これで終わりといたします。"}));
  if (e.closed_by) text.paragraph(joined({"■ 使われたのは\n", f.time.slot(*e.closed_by)}));
  if (e.last_use) text.paragraph(joined({"■ その前に使われたのは\n", f.time.slot(*e.last_use)}));
  text.paragraph("家電が使われたことのお知らせですので、お体の具合まではわかりません。\n"
                 "気になることがおありでしたら、お電話などでお話しになってみてください。");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", quoted(f.appliance), "がまた使われました"})), text.take()};
}

notice_text blind_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の家電の様子を、こちらから確認できなくなっています。"}));
  text.paragraph("ご本人に何かあったという意味ではありません。\n"
                 "ただ、確認できない間は、ふだんどおりかどうかも、使われていないことも、お知らせできません。");
  text.paragraph(since_block(f));
  text.paragraph(joined({"■ わけ\n", cause_text(f.facts->what.cause)}));
  text.paragraph(others_block(f, "それぞれの家電が最後に使われたのは"));
  text.paragraph(joined({"■ お願いしたいこと\n", blind_advice(f.facts->what.cause)}));
  text.paragraph("また確認できるようになりましたら、もう一度お知らせします。");
  text.paragraph(footer(f));
  return {subject_of(f.home + "の様子を確認できなくなっています"), text.take()};
}

notice_text blind_closed(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の家電の様子を、また確認できるようになりました。\n見守りを続けます。"}));
  text.paragraph(stretch_block(f));
  text.paragraph("この間の記録は、あとから届くことも、わからないまま残ることもあります。\n"
                 "わからない時間を「使われていない」と数えることはありません。");
  text.paragraph(footer(f));
  return {subject_of(f.home + "の様子をまた確認できるようになりました"), text.take()};
}

notice_text silent_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", thing(f), "の様子を、確認できなくなっています。\n",
                         "ご自宅との通信はつながっていますが、", thing(f), "から返事がありません。"}));
  text.paragraph(joined({"ご本人に何かあったという意味ではありません。\n",
                         "ただ、確認できない間は、", thing(f), "が使われているかどうかがわかりません。"}));
  text.paragraph(since_block(f));
  text.paragraph(others_block(f, "ほかの家電が最後に使われたのは"));
  text.paragraph("■ お願いしたいこと\n・ご自宅にどなたかがいらっしゃるときに、電源とコンセントをご覧ください。\n"
                 "・コンセントを抜いてお使いの場合は、差すとまた確認できるようになります。");
  text.paragraph("また確認できるようになりましたら、もう一度お知らせします。");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", thing(f), "の様子を確認できなくなっています"})), text.take()};
}

notice_text silent_closed(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", thing(f), "の様子を、また確認できるようになりました。"}));
  text.paragraph(stretch_block(f));
  text.paragraph("確認できなかった間に使われたかどうかは、わかりません。");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", thing(f), "の様子をまた確認できるようになりました"})), text.take()};
}

notice_text fault_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", thing(f), "が、機器の異常を知らせています。"}));
  text.paragraph("機器そのものからのお知らせで、ご本人に何かあったという意味ではありません。\n"
                 "異常が続く間は、使われたかどうかの記録が正しくないことがあります。");
  text.paragraph(since_block(f));
  text.paragraph(others_block(f, "ほかの家電が最後に使われたのは"));
  text.paragraph("■ お願いしたいこと\n・機器の表示と説明書をご覧になり、お買い上げの店かメーカーにご相談ください。\n"
                 "・煙やこげたにおいがあるときは、使うのをやめて、電源を切るようお伝えください。");
  text.paragraph("異常の知らせがなくなりましたら、もう一度お知らせします。");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", thing(f), "が機器の異常を知らせています"})), text.take()};
}

notice_text fault_closed(const shown_facts& f) {
  const auto from = start_of(f.facts->what.key.since);
  const auto until = stretch_end(f.facts->what, f.facts->now);
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({quoted(f.home), "の", thing(f), "からの異常の知らせは、なくなりました。"}));
  text.paragraph(joined({"■ 異常を知らせていた時間\n", f.time.moment(from), "ごろから\n", f.time.moment(until), "ごろまで（",
                         f.time.duration(until - from), "）"}));
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, "：", thing(f), "の異常の知らせがなくなりました"})), text.take()};
}

}  // namespace

notice_text family_ja(const shown_facts& f) {
  const bool opened = f.facts->edge == mail_edge::opened;
  switch (f.facts->what.key.kind) {
    case episode_kind::unused: return opened ? unused_opened(f) : unused_closed(f);
    case episode_kind::blind_family:
    case episode_kind::blind_provider: return opened ? blind_opened(f) : blind_closed(f);
    case episode_kind::device_fault: return opened ? fault_opened(f) : fault_closed(f);
    case episode_kind::device_silent: break;
  }
  return opened ? silent_opened(f) : silent_closed(f);
}

}  // namespace tomoshibi::relay::mail_text_parts
