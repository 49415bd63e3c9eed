// Emergency mails to families in Japanese.
#include "relay/core/emergency/emergency_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::emergency_text_parts {
namespace {

using mail_text_parts::joined;
using mail_text_parts::letter;

std::string quoted(std::string_view name) { return joined({"「", name, "」"}); }

std::string subject_of(const shown_emergency& f, std::string_view mark, std::string_view rest) {
  return joined({"【ともしび】", f.drill ? "【訓練】" : mark, f.home, "：", rest});
}

void begin(const shown_emergency& f, letter& text) {
  if (f.drill) text.paragraph("これは訓練です。何かが起きたわけではなく、どなたも向かいません。");
  text.paragraph(f.reader.empty() ? "ご家族の皆さま" : f.reader + " 様");
}

notice_text end(const shown_emergency& f, std::string subject, letter& text) {
  text.paragraph(joined({"----\n時刻は、見守り先のご自宅の時刻（", f.time.zone(), "）で書いています。\n",
                         "このメールは、見守りサービス「ともしび」が自動でお送りしています。"}));
  return {std::move(subject), text.take()};
}

std::string_view button_text(press_source source) {
  switch (source) {
    case press_source::first_aid: return "救急ボタン";
    case press_source::box: return "中継装置の非常ボタン";
    case press_source::drill:
    case press_source::button: break;
  }
  return "非常ボタン";
}

std::string when_block(const shown_emergency& f) {
  const auto& p = *f.facts->press;
  if (!p.occurred) return joined({"■ いつ\n", f.time.second(p.known), "に知らせを受けました。中継装置の時計は合っていませんでした。"});
  std::string out = joined({"■ いつ\n", f.time.second(*p.occurred)});
  if (p.known - *p.occurred >= heard_late_after) out += joined({"\n知らせが届いたのは、", f.time.second(p.known), "です。"});
  return out;
}

constexpr std::string_view what_to_do =
    "■ お願いしたいこと\n・いますぐ、お電話でご様子をお確かめください。\n"
    "・お出にならないときや、助けが要るときは、ご自身で119番（救急・消防）または110番（警察）にお電話ください。";

std::string centre_block(const shown_emergency& f) {
  const auto& p = *f.facts->press;
  if (f.accepted()) return "■ ガードセンター\nガードセンターが、通報を受け取ったことを確認しました。";
  if (!f.facts->has_centre)
    return "■ ガードセンター\nこのご自宅には、ガードセンターの設定がありません。ほかにはどこにも知らされていません。";
  if (p.was_undelivered || p.alarmed)
    return "■ ガードセンター\nガードセンターの受け取りは、まだ確認できていません。送信を続けています。\n"
           "次のお知らせまでは、ほかにはどこにも届いていないものとしてお考えください。";
  return "■ ガードセンター\nガードセンターに知らせているところです。受け取りはまだ確認できていません。\n"
         "確認できましたら、もう一度お知らせします。";
}

notice_text press(const shown_emergency& f) {
  letter text;
  begin(f, text);
  const auto source = f.facts->press->source;
  text.paragraph(f.drill ? joined({quoted(f.home), "で、訓練の通報が行われました。"})
                         : joined({quoted(f.home), "の", button_text(source), "が押されました。"}));
  text.paragraph(when_block(f));
  text.paragraph(centre_block(f));
  if (!f.drill) text.paragraph(what_to_do);
  return end(f, subject_of(f, "【緊急】", f.drill ? "訓練の通報です" : joined({button_text(source), "が押されました"})), text);
}

notice_text press_accepted(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({quoted(f.home), "からの通報を、ガードセンターが受け取りました。"}));
  text.paragraph(when_block(f));
  if (f.facts->press->accepted)
    text.paragraph(joined({"■ 受け取りを確認した時刻\n", f.time.second(*f.facts->press->accepted)}));
  if (!f.drill)
    text.paragraph("このあとの対応は、ガードセンターとのご契約に沿って行われます。お電話に出られるようにしてお待ちください。");
  return end(f, subject_of(f, "【緊急】", "ガードセンターが通報を受け取りました"), text);
}

notice_text press_not_accepted(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({quoted(f.home), "からの通報を、ガードセンターが受け取ったことを確認できていません。送信を続けています。"}));
  text.paragraph(when_block(f));
  if (!f.drill) text.paragraph(joined({"ほかにはどこにも届いていないものとしてお考えください。\n\n", what_to_do}));
  return end(f, subject_of(f, "【緊急】", "ガードセンターの受け取りを確認できません"), text);
}

std::string_view trouble_text(trouble_kind kind) {
  switch (kind) {
    case trouble_kind::button_stuck: return "非常ボタンが長く押されたままです。引っかかっていて、通報できないことがあります。";
    case trouble_kind::button_silent: return "非常ボタンから、しばらく知らせがありません。通報できないことがあります。";
    case trouble_kind::press_not_saved: return "中継装置が、通報を記録できません。送信は行います。";
    case trouble_kind::mains_lost: return "中継装置がコンセントの電気ではなく、電池で動いています。";
    case trouble_kind::battery_low: return "中継装置の電池が少なくなっています。";
    case trouble_kind::direct_path_down: break;
  }
  return "中継装置から直接ガードセンターにつながりません。通報は私どものサービスを通ります。";
}

notice_text trouble(const shown_emergency& f, bool over) {
  letter text;
  begin(f, text);
  const auto& t = *f.facts->trouble;
  text.paragraph(joined({quoted(f.home), over ? "の中継装置について先にお知らせした不具合は、なくなりました。\n" : "の中継装置から、不具合の知らせがありました。\n",
                         trouble_text(t.kind)}));
  text.paragraph(joined({"■ いつから\n", f.time.moment(t.since)}));
  if (over && t.ended) text.paragraph(joined({"■ いつまで\n", f.time.moment(*t.ended)}));
  if (!over)
    text.paragraph("機器についてのお知らせで、ご本人に何かあったという意味ではありません。\n"
                   "ご自宅にどなたかがいらっしゃるときは、ボタンとコンセントと中継装置をご覧いただけると助かります。");
  return end(f, subject_of(f, "", over ? "中継装置の不具合がなくなりました" : "中継装置から不具合の知らせがありました"), text);
}

std::string asked_block(const shown_emergency& f) {
  const auto& d = *f.facts->dispatch;
  return joined({"■ どなたが、なぜ\n", one_line(d.who), "：", one_line(d.reason), "\n\n■ いつ\n", f.time.second(d.asked)});
}

notice_text dispatch(const shown_emergency& f) {
  letter text;
  begin(f, text);
  const bool confirmed = f.facts->dispatch->accepted.has_value();
  const bool late = f.facts->kind == emergency_notice::dispatch_not_accepted;
  text.paragraph(joined({quoted(f.home), "へのガードセンターの訪問が依頼されました。"}));
  text.paragraph(asked_block(f));
  if (confirmed) {
    text.paragraph(joined({"■ ガードセンター\n依頼を受け取ったことを確認しました（", f.time.second(*f.facts->dispatch->accepted), "）。"}));
  } else if (late) {
    text.paragraph("■ ガードセンター\n依頼を受け取ったことを、まだ確認できていません。送信を続けています。\n"
                   "お急ぎのときは、119番または110番にお電話ください。");
  } else {
    text.paragraph("■ ガードセンター\n依頼を受け取ったことは、まだ確認できていません。確認できましたら、もう一度お知らせします。");
  }
  return end(f, subject_of(f, "", confirmed ? "ガードセンターが訪問の依頼を受け取りました"
                                  : late    ? "訪問の依頼の受け取りを確認できません"
                                            : "訪問が依頼されました"), text);
}

notice_text drill_unanswered(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({quoted(f.home), "の訓練は、うまくいきませんでした。\n",
                         f.facts->press ? "ガードセンターの受け取りを確認できませんでした。" : "中継装置から通報が届きませんでした。"}));
  text.paragraph("サービスの担当者に知らせてあり、わけを調べます。");
  return end(f, subject_of(f, "", "訓練がうまくいきませんでした"), text);
}

}  // namespace

notice_text emergency_family_ja(const shown_emergency& f) {
  switch (f.facts->kind) {
    case emergency_notice::press:
    case emergency_notice::press_no_centre: return press(f);
    case emergency_notice::press_accepted: return press_accepted(f);
    case emergency_notice::press_not_accepted: return press_not_accepted(f);
    case emergency_notice::trouble: return trouble(f, false);
    case emergency_notice::trouble_ended: return trouble(f, true);
    case emergency_notice::dispatch:
    case emergency_notice::dispatch_accepted:
    case emergency_notice::dispatch_not_accepted: return dispatch(f);
    case emergency_notice::event_refused: return emergency_provider(f);  // to providers only
    case emergency_notice::drill_unanswered: break;
  }
  return drill_unanswered(f);
}

}  // namespace tomoshibi::relay::emergency_text_parts
