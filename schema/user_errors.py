"""What a mutation refuses, as types: the caller can tell them apart by `__typename` and mend what `path` names."""

import strawberry


@strawberry.interface(description="Something in the input that the caller can mend (用户错误)")
class UserError:
    """`path` leads to the offender from the mutation's input, as `["keys", "0"]`."""

    message: str = strawberry.field(description="What is wrong, and the way out (说明)")
    path: list[str] = strawberry.field(description="Where in the input (位置)")


@strawberry.type(description="No obligation has this key (应办事项不存在)")
class UnknownObligation(UserError):
    """The key names nothing."""

    key: str = strawberry.field(description="The key that was given (应办编号)")


@strawberry.type(description="Its state does not allow this (状态不符)")
class WrongState(UserError):
    """The obligation or item is in a state that rules this out."""

    state: str = strawberry.field(description="The state it has (当前状态)")
    allowed: list[str] = strawberry.field(description="States in which this can be done (允许的状态)")


@strawberry.type(description="A reason has to be given, for the record (缺少原因)")
class ReasonMissing(UserError):
    """The reason is blank."""


@strawberry.type(description="No item of the ops list has this id (人工处理事项不存在)")
class UnknownOpsItem(UserError):
    """The id names nothing."""

    item_id: str = strawberry.field(description="The id that was given (编号)")


@strawberry.type(description="No platform has this name (平台不存在)")
class UnknownPlatform(UserError):
    """The name names nothing."""

    platform: str = strawberry.field(description="The name that was given (平台)")
    known: list[str] = strawberry.field(description="Names there are (已知名称)")


@strawberry.type(description="The platform has no such stream (数据流不存在)")
class UnknownStream(UserError):
    """The name names nothing there."""

    stream: str = strawberry.field(description="The name that was given (数据流)")
    known: list[str] = strawberry.field(description="Names there are (已知名称)")


@strawberry.type(description="No delivery has this id (投递不存在)")
class UnknownDelivery(UserError):
    """The id names nothing."""

    delivery_id: str = strawberry.field(description="The id that was given (投递编号)")


@strawberry.type(description="More at once than allowed (数量过多)")
class TooMany(UserError):
    """A list in the input is too long."""

    limit: int = strawberry.field(description="The most that is allowed (上限)")


@strawberry.type(description="The input does not say what to work on (缺少输入)")
class InputMissing(UserError):
    """Nothing was named, or two things that exclude each other."""


@strawberry.type(description="The text is blank, too long, or holds a character that nobody takes (文本不可用)")
class UnusableText(UserError):
    """A text that no record could hold."""

    longest: int = strawberry.field(description="How many characters it may have (最多字符数)")


@strawberry.type(description="No department is named (未指定部门)")
class NoDepartment(UserError):
    """The list of departments is empty."""


@strawberry.type(description="A request cannot go by this number (编号不合规)")
class BadNumber(UserError):
    """It is blank, too long, or holds a blank, a colon or a control character."""

    number: str = strawberry.field(description="The number that was given (编号)")


@strawberry.type(description="No subject can have this code (监管对象编码有误)")
class BadCode(UserError):
    """It is neither a USCC with the right check characters nor a RID code; an identity number is shown masked."""

    code: str = strawberry.field(description="The code that was given (监管对象编码)")


@strawberry.type(description="No department has this code (部门不存在)")
class UnknownDepartment(UserError):
    """Neither policy nor the enforcement platform names it."""

    department: str = strawberry.field(description="The code that was given (部门编码)")


@strawberry.type(description="There is no such credit grade (信用等级不存在)")
class UnknownGrade(UserError):
    """The grade is none of the credit platform's."""

    grade: str = strawberry.field(description="The grade that was given (信用等级)")
    known: list[str] = strawberry.field(description="Grades there are (已知等级)")


@strawberry.type(description="The number is too small or too large (数值超出范围)")
class OutOfRange(UserError):
    """Both bounds are allowed."""

    least: int = strawberry.field(description="The least that is allowed (最小值)")
    most: int = strawberry.field(description="The most that is allowed (最大值)")


@strawberry.type(description="The time is over already (时间已过)")
class InThePast(UserError):
    """Something is to be done by a time that is over."""


@strawberry.type(description="No report has this number (自治结果不存在)")
class UnknownReport(UserError):
    """The number names nothing."""

    report_no: str = strawberry.field(description="The number that was given (自治结果编号)")


@strawberry.type(description="The report has no figures to check (未申报数据)")
class FiguresMissing(UserError):
    """There is nothing to check on line."""

    report_no: str = strawberry.field(description="The report (自治结果编号)")


@strawberry.type(description="The same was asked for before with other content, which stays (内容冲突)")
class RequestConflict(UserError):
    """A request is made once under its number, a check of figures once for each state of a report."""

    number: str = strawberry.field(description="Number of what was asked for before (编号)")
    differs: list[str] = strawberry.field(description="Inputs that differ from it (不同之处)")


@strawberry.type(description="This cannot be an identifier (识别码无效)")
class InvalidIdentifier(UserError):
    """It is no USCC with right check characters, no RID code and no old number."""

    identifier: str = strawberry.field(description="What was given; masked if it may be an identity number (识别码)")


@strawberry.type(description="No record tells of this subject (监管对象不存在)")
class UnknownSubject(UserError):
    """The identifier names nothing that the hub has heard of."""

    identifier: str = strawberry.field(description="The identifier that was given (识别码)")


@strawberry.type(description="Both name one subject already (同一监管对象)")
class SameSubject(UserError):
    """There is nothing to merge."""

    code: str = strawberry.field(description="Code of the subject (监管对象编码)")


@strawberry.type(description="The one belongs to the other already, the other way round (循环合并)")
class CircularMerge(UserError):
    """The subject to merge into leads to what is to be merged."""

    way: list[str] = strawberry.field(description="How it leads there (经过的识别码)")


@strawberry.type(description="It was merged into another subject by hand (已合并)")
class AlreadyMerged(UserError):
    """One merge of an identifier stands at a time."""

    merge_id: str = strawberry.field(description="The merge that stands (合并编号)")
    into_code: str = strawberry.field(description="What it was merged into (并入编码)")


@strawberry.type(description="A person and an enterprise are never one subject (个人与企业不可合并)")
class PersonWithEnterprise(UserError):
    """One is a RID code, the other is not."""


@strawberry.type(description="No merge has this id (合并不存在)")
class UnknownMerge(UserError):
    """The id names nothing."""

    merge_id: str = strawberry.field(description="The id that was given (合并编号)")


@strawberry.type(description="It ends before it begins, or is too long to be meant (维护窗口无效)")
class InvalidWindow(UserError):
    """A maintenance window that nobody can have meant."""


@strawberry.type(description="Another maintenance window of the platform lies in that time (维护窗口重叠)")
class WindowOverlaps(UserError):
    """Call that one off first, or choose another time."""

    window_id: str = strawberry.field(description="The window that stands (窗口编号)")


@strawberry.type(description="No maintenance window has this id (维护窗口不存在)")
class UnknownWindow(UserError):
    """The id names nothing."""

    window_id: str = strawberry.field(description="The id that was given (窗口编号)")


@strawberry.type(description="The platform is paused: nothing is read or sent there (平台已暂停)")
class PlatformIsPaused(UserError):
    """Resume it first."""

    platform: str = strawberry.field(description="The platform (平台)")


@strawberry.type(description="The platform refused or did not answer (平台未能读取)")
class NotReadable(UserError):
    """`code` is the reason code; the message says what can be done."""

    code: str = strawberry.field(description="Reason code (原因代码)")


@strawberry.type(description="No record has this id, or none that the caller sees (记录不存在)")
class UnknownRecord(UserError):
    """The id names nothing here."""


@strawberry.type(description="The field is not one with personal data (非个人信息字段)")
class NotPersonal(UserError):
    """It is shown in clear text anyway, or there is no such field."""

    known: list[str] = strawberry.field(description="Personal fields of such records (个人信息字段)")


@strawberry.type(description="Too many personal fields were shown in the last hour (查看次数超限)")
class RevealedTooOften(UserError):
    """Ask again later; operators may raise the limit."""

    limit: int = strawberry.field(description="How many an hour (每小时上限)")


USER_ERRORS = (
    UnknownRecord,
    NotPersonal,
    RevealedTooOften,
    InvalidWindow,
    WindowOverlaps,
    UnknownWindow,
    PlatformIsPaused,
    NotReadable,
    UnknownObligation,
    WrongState,
    ReasonMissing,
    UnknownOpsItem,
    UnknownPlatform,
    UnknownStream,
    UnknownDelivery,
    TooMany,
    InputMissing,
    UnusableText,
    NoDepartment,
    UnknownDepartment,
    UnknownGrade,
    OutOfRange,
    InThePast,
    BadNumber,
    BadCode,
    UnknownReport,
    FiguresMissing,
    RequestConflict,
    InvalidIdentifier,
    UnknownSubject,
    SameSubject,
    CircularMerge,
    AlreadyMerged,
    PersonWithEnterprise,
    UnknownMerge,
)
"""All kinds, for the schema: the interface alone does not lead to them."""
