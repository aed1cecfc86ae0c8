"""The made-up city's lists: departments, inspection items, grid categories and approval matters.

Plain data, used by the mock platforms as their default content. Codes are made up; names follow what such a city has.
Counts are those of the write-up that the project starts from: 27 enforcement departments, 61 grid categories,
17 matters that allow commitment, 10 of them live.
"""

from typing import Final

# (code, name, short name)
_DEPARTMENTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("SCJG", "义乌市市场监督管理局", "市场监管局"),
    ("GA", "义乌市公安局", "公安局"),
    ("JT", "义乌市交通运输局", "交通局"),
    ("WH", "义乌市文化和广电旅游体育局", "文旅体局"),
    ("JY", "义乌市教育局", "教育局"),
    ("ZFJ", "义乌市综合行政执法局", "综合行政执法局"),
    ("WJ", "义乌市卫生健康局", "卫健局"),
    ("YJ", "义乌市应急管理局", "应急管理局"),
    ("HB", "金华市生态环境局义乌分局", "生态环境分局"),
    ("ZJ", "义乌市住房和城乡建设局", "住建局"),
    ("ZGJ", "义乌市自然资源和规划局", "自然资源局"),
    ("SW", "义乌市水务局", "水务局"),
    ("NY", "义乌市农业农村局", "农业农村局"),
    ("RS", "义乌市人力资源和社会保障局", "人社局"),
    ("MZ", "义乌市民政局", "民政局"),
    ("CZ", "义乌市财政局", "财政局"),
    ("SWJ", "义乌市商务局", "商务局"),
    ("FG", "义乌市发展和改革局", "发改局"),
    ("JX", "义乌市经济和信息化局", "经信局"),
    ("TJ", "义乌市统计局", "统计局"),
    ("XF", "义乌市消防救援大队", "消防救援大队"),
    ("QX", "义乌市气象局", "气象局"),
    ("SWS", "国家税务总局义乌市税务局", "税务局"),
    ("YC", "义乌市烟草专卖局", "烟草专卖局"),
    ("JR", "义乌市人民政府金融工作办公室", "金融办"),
    ("KJ", "义乌市科学技术局", "科技局"),
    ("YB", "义乌市医疗保障局", "医保局"),
)

DEPARTMENTS: Final[tuple[dict[str, str], ...]] = tuple({"code": code, "name": name} for code, name, _ in _DEPARTMENTS)
"""What the enforcement platform publishes: `{"code", "name"}`, 27 of them."""

SHORT_NAMES: Final[dict[str, str]] = {code: short for code, _, short in _DEPARTMENTS}
"""A department's everyday name by its code."""

CASE_UNITS: Final[dict[str, str]] = {"WH": "ZFJ", "JY": "ZFJ", "ZJ": "ZFJ", "SW": "ZFJ"}
"""Departments whose penalty cases are handled by another one (the case unit); every other department is its own."""

# (item code, name, points or None, severity or None): an item may name points, a tier, both or neither
_ITEMS: Final[tuple[tuple[str, str, str | None, str | None], ...]] = (
    ("SCJG-001", "餐饮具消毒设施未正常使用", "2.0", "GENERAL"),
    ("SCJG-002", "厨房环境不洁", "2.0", "GENERAL"),
    ("SCJG-003", "未公示食品经营许可证", "0.5", "MINOR"),
    ("SCJG-004", "从业人员无有效健康证明", "1.5", None),
    ("SCJG-005", "特种设备未经检验投入使用", "6.0", "MAJOR"),
    ("GA-001", "旅馆未按规定登记住宿人员", "3.0", "GENERAL"),
    ("GA-002", "监控设备未按承诺安装", None, "MAJOR"),
    ("GA-003", "保安人员未持证上岗", "1.0", "MINOR"),
    ("JT-001", "公路建筑控制区内遮挡视线", "1.0", "MINOR"),
    ("JT-002", "货运车辆超限超载", "3.0", "GENERAL"),
    ("JT-003", "道路运输企业未落实动态监控", None, "GENERAL"),
    ("WH-001", "经营场所与申报地址不一致", "6.0", "MAJOR"),
    ("WH-002", "未建立印刷品承印验证登记制度", "2.0", "GENERAL"),
    ("WH-003", "娱乐场所未设置警示标志", "0.5", "MINOR"),
    ("JY-001", "无证开展学科类培训", "12.0", "SERIOUS"),
    ("JY-002", "消防通道堵塞仍组织培训", "12.0", "SERIOUS"),
    ("JY-003", "超前超纲教学", "6.0", "MAJOR"),
    ("JY-004", "一次性收取超过三个月费用", "2.0", "GENERAL"),
    ("JY-005", "教师资格信息未公示", "1.0", "MINOR"),
    ("ZFJ-001", "店外经营占用道路", "1.0", "MINOR"),
    ("ZFJ-002", "户外广告设置不符合承诺", "2.0", "GENERAL"),
    ("WJ-001", "公共场所卫生许可证过期", "3.0", "GENERAL"),
    ("WJ-002", "未按规定处置医疗废物", None, "SERIOUS"),
    ("YJ-001", "未经许可储存危险化学品", "12.0", "SERIOUS"),
    ("YJ-002", "未建立安全生产责任制", "3.0", "GENERAL"),
    ("HB-001", "锅炉废气超标排放", "6.0", "MAJOR"),
    ("HB-002", "污染防治设施未正常运行", "3.0", "GENERAL"),
    ("ZJ-001", "锅炉房未按图施工", "2.0", "GENERAL"),
    ("XF-001", "疏散通道锁闭", "6.0", "MAJOR"),
    ("SW-001", "未取得排水许可排放污水", "3.0", "GENERAL"),
    ("NY-001", "农药经营台账不全", None, None),
    ("JR-001", "担保余额申报不实", "6.0", "MAJOR"),
)

ITEMS: Final[tuple[dict[str, str | None], ...]] = tuple(
    {"itemCode": code, "itemName": name, "points": points, "severity": severity} for code, name, points, severity in _ITEMS
)
"""What the enforcement platform publishes: `{"itemCode", "itemName", "points", "severity"}`."""

# department code -> names of its categories; the category's code is the department's and a running number
_CATEGORY_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "JT": ("公路设施损坏", "非法营运", "公路隐患", "货运站场隐患"),
    "SCJG": ("无证经营", "食品安全", "价格违法", "假冒伪劣", "传销线索", "电梯故障"),
    "GA": ("治安隐患", "流动人口未登记", "赌博线索", "养犬纠纷"),
    "ZFJ": ("占道经营", "违法建筑", "乱倒垃圾", "户外广告破损", "噪声扰民"),
    "HB": ("工业废气", "工业废水", "危险废物", "露天焚烧"),
    "YJ": ("危险化学品", "企业安全隐患", "烟花爆竹", "地下作坊"),
    "ZJ": ("工地扬尘", "房屋安全", "物业纠纷", "燃气隐患"),
    "XF": ("消防通道堵塞", "消防设施缺失", "电动车违规充电"),
    "WJ": ("无证行医", "公共场所卫生", "医疗废物"),
    "SW": ("河道污染", "供水故障", "山塘水库隐患"),
    "NY": ("农药残留", "病死畜禽", "农机隐患"),
    "ZGJ": ("违法用地", "地质灾害", "盗采矿产"),
    "JY": ("无证培训", "校园安全"),
    "WH": ("娱乐场所违规", "非法出版物", "文物保护"),
    "RS": ("拖欠工资", "非法职业中介"),
    "MZ": ("流浪救助", "非法社会组织"),
    "JR": ("非法集资", "非法借贷"),
    "YC": ("非法卷烟",),
    "SWJ": ("成品油市场",),
    "FG": ("电力设施隐患",),
    "QX": ("防雷设施隐患",),
}

GRID_CATEGORIES: Final[tuple[dict[str, str], ...]] = tuple(
    {"category": f"{department}-{number:02d}", "name": name, "department": department}
    for department, names in _CATEGORY_NAMES.items()
    for number, name in enumerate(names, start=1)
)
"""Grid event categories with the department each routes to: `{"category", "name", "department"}`, 61 of them."""

TOWNS: Final[tuple[str, ...]] = (
    "佛堂镇",
    "苏溪镇",
    "上溪镇",
    "大陈镇",
    "义亭镇",
    "赤岸镇",
    "稠城街道",
    "福田街道",
    "江东街道",
    "稠江街道",
    "北苑街道",
    "后宅街道",
    "城西街道",
    "廿三里街道",
)
"""The towns and streets whose grids report."""

# (code, name, department, allows commitment, live)
_MATTERS: Final[tuple[tuple[str, str, str, bool, bool], ...]] = (
    ("GA-SX01", "旅馆业特种行业许可", "GA", True, True),
    ("WH-SX01", "印刷经营许可", "WH", True, True),
    ("ZFJ-SX01", "临时占用道路开业活动许可", "ZFJ", True, True),
    ("WJ-SX01", "公共场所卫生许可", "WJ", True, True),
    ("SCJG-SX01", "食品经营许可（仅销售预包装食品）", "SCJG", True, True),
    ("JY-SX01", "民办培训机构筹设许可", "JY", True, True),
    ("JT-SX01", "道路货物运输经营许可", "JT", True, True),
    ("SW-SX01", "城镇污水排入排水管网许可", "SW", True, True),
    ("RS-SX01", "人力资源服务许可", "RS", True, True),
    ("NY-SX01", "动物诊疗许可", "NY", True, True),
    ("GA-SX02", "公章刻制业特种行业许可", "GA", True, False),
    ("WH-SX02", "娱乐场所经营许可", "WH", True, False),
    ("ZFJ-SX02", "户外广告设置许可", "ZFJ", True, False),
    ("SCJG-SX02", "小餐饮登记", "SCJG", True, False),
    ("SWJ-SX01", "成品油零售经营许可", "SWJ", True, False),
    ("ZJ-SX01", "燃气经营许可", "ZJ", True, False),
    ("MZ-SX01", "养老机构备案", "MZ", True, False),
    ("YJ-SX01", "危险化学品经营许可", "YJ", False, True),
    ("SCJG-SX03", "食品生产许可", "SCJG", False, True),
    ("HB-SX01", "排污许可", "HB", False, True),
    ("XF-SX01", "公众聚集场所投入使用前消防安全检查", "XF", False, True),
    ("JR-SX01", "融资担保公司设立许可", "JR", False, True),
)

MATTERS: Final[tuple[dict[str, str | bool], ...]] = tuple(
    {"code": code, "name": name, "department": department, "commitment": commitment, "live": live}
    for code, name, department, commitment, live in _MATTERS
)
"""Approval matters: `{"code", "name", "department", "commitment", "live"}`; 17 allow commitment, 10 of those are live."""
