//! The words a seeded catalogue is made of. Data only.

/// Upper categories: slug and name.
pub(super) const DEPARTMENTS: [(&str, &str); 8] = [
    ("kitchen", "Kitchen"),
    ("home", "Home"),
    ("outdoor", "Outdoor"),
    ("sports", "Sports"),
    ("electronics", "Electronics"),
    ("clothing", "Clothing"),
    ("office", "Office"),
    ("tools", "Tools"),
];

/// One kind of product, which is also a category below its department.
pub(super) struct Kind {
    pub slug: &'static str,
    pub department: &'static str,
    /// Of the category.
    pub plural: &'static str,
    /// In a product's name.
    pub noun: &'static str,
    pub purpose: &'static str,
    /// The middle of its prices, in cents, and how far they spread (the sigma of a log-normal distribution, in percent).
    pub median: i64,
    pub spread: i64,
    pub materials: &'static [&'static str],
    /// What differs between two of them besides brand and colour.
    pub sizes: &'static [&'static str],
}

const METAL: &[&str] = &["steel", "aluminium", "cast iron", "copper"];
const CLOTH: &[&str] = &["cotton", "wool", "linen", "polyester", "recycled polyester"];
const WOOD: &[&str] = &["oak", "beech", "bamboo", "walnut", "ash"];
const HARD: &[&str] = &["aluminium", "plastic", "recycled plastic", "steel"];
const BODY: &[&str] = &["XS", "S", "M", "L", "XL"];
const ONE: &[&str] = &["one size"];

macro_rules! kind {
    ($slug:literal, $department:literal, $plural:literal, $noun:literal, $purpose:literal, $median:literal, $spread:literal, $materials:expr, $sizes:expr) => {
        Kind {
            slug: $slug,
            department: $department,
            plural: $plural,
            noun: $noun,
            purpose: $purpose,
            median: $median,
            spread: $spread,
            materials: $materials,
            sizes: $sizes,
        }
    };
}

/// Most common kinds first: the seed draws the front of the list more often.
#[rustfmt::skip]
pub(super) const KINDS: [Kind; 32] = [
    kind!("t-shirts", "clothing", "T-shirts", "T-Shirt", "Cut straight, stitched twice at the shoulders, and keeps its shape in the wash.", 2_400, 35, CLOTH, BODY),
    kind!("mugs", "kitchen", "Mugs", "Mug", "Holds a large coffee, stays cool at the handle and goes into the dishwasher.", 1_400, 35, &["stoneware", "porcelain", "enamel", "glass"], &["250 ml", "350 ml", "450 ml"]),
    kind!("phone-cases", "electronics", "Phone cases", "Phone Case", "Takes a fall from two metres and leaves every button within reach.", 1_900, 40, &["silicone", "leather", "recycled plastic", "cork"], &["small", "regular", "large"]),
    kind!("water-bottles", "outdoor", "Water bottles", "Water Bottle", "Does not leak, does not sweat and fits the holder of a bicycle.", 2_200, 35, HARD, &["500 ml", "750 ml", "1 l"]),
    kind!("notebooks", "office", "Notebooks", "Notebook", "192 dotted pages that lie flat and take ink without bleeding.", 1_200, 40, &["paper", "recycled paper", "stone paper"], &["A6", "A5", "A4"]),
    kind!("socks", "clothing", "Socks", "Socks", "Three pairs with a flat toe seam and a cuff that stays up.", 1_500, 30, CLOTH, &["35-38", "39-42", "43-46"]),
    kind!("running-shoes", "sports", "Running shoes", "Running Shoes", "For roads and firm paths; eight millimetres of drop and a heel that holds.", 10_900, 30, &["mesh", "knit", "recycled polyester"], &["38", "39", "40", "41", "42", "43", "44", "45"]),
    kind!("backpacks", "outdoor", "Backpacks", "Backpack", "Carries a day's worth of things, with a sleeve for a laptop and a pocket that locks.", 8_900, 45, CLOTH, &["18 l", "24 l", "30 l", "45 l"]),
    kind!("desk-lamps", "home", "Desk lamps", "Desk Lamp", "Lights a desk evenly, dims to a night light and does not flicker.", 5_900, 50, METAL, ONE),
    kind!("cushions", "home", "Cushions", "Cushion", "A cover that zips off, and a filling that comes back into shape.", 2_900, 40, CLOTH, &["40 x 40 cm", "50 x 50 cm", "60 x 40 cm"]),
    kind!("headphones", "electronics", "Headphones", "Headphones", "Keep the office out for thirty hours and fold into their case.", 12_900, 60, HARD, ONE),
    kind!("knives", "kitchen", "Kitchen knives", "Chef's Knife", "A blade that takes an edge and a handle that balances it.", 6_900, 55, METAL, &["15 cm", "18 cm", "20 cm", "24 cm"]),
    kind!("pans", "kitchen", "Pans", "Frying Pan", "Heats evenly on every hob, induction too, and goes into the oven.", 5_400, 45, METAL, &["20 cm", "24 cm", "28 cm"]),
    kind!("rain-jackets", "clothing", "Rain jackets", "Rain Jacket", "Keeps the rain out at a column of 15,000 mm and folds into its own pocket.", 12_900, 45, &["polyester", "recycled polyester", "nylon"], BODY),
    kind!("chargers", "electronics", "Chargers", "Charger", "Fills a phone in an hour and a laptop over lunch, from one small block.", 3_400, 45, HARD, &["20 W", "45 W", "65 W", "100 W"]),
    kind!("yoga-mats", "sports", "Yoga mats", "Yoga Mat", "Grips when it is dry and when it is not, and rolls up small.", 4_400, 40, &["cork", "natural rubber", "foam"], &["3 mm", "4 mm", "6 mm"]),
    kind!("pens", "office", "Pens", "Fountain Pen", "Writes at the first touch and is filled from a bottle or a cartridge.", 3_900, 70, METAL, &["fine", "medium", "broad"]),
    kind!("blankets", "home", "Blankets", "Blanket", "Warms without weight and survives a fortnight on the sofa.", 6_900, 40, CLOTH, &["130 x 170 cm", "150 x 200 cm"]),
    kind!("bicycle-lights", "sports", "Bicycle lights", "Bicycle Light", "Is seen from 400 metres and charges in two hours.", 3_400, 50, HARD, ONE),
    kind!("screwdrivers", "tools", "Screwdrivers", "Screwdriver Set", "Twelve bits that do not round off, in a roll that tells which is missing.", 2_900, 50, METAL, ONE),
    kind!("sweaters", "clothing", "Sweaters", "Sweater", "Knitted in one piece, so that no seam rubs.", 7_900, 40, &["wool", "merino wool", "cotton", "alpaca"], BODY),
    kind!("chopping-boards", "kitchen", "Chopping boards", "Chopping Board", "Spares the knife, with a groove for the juice and feet that do not slip.", 3_900, 45, WOOD, &["small", "medium", "large"]),
    kind!("keyboards", "electronics", "Keyboards", "Keyboard", "Quiet switches, keys that can be replaced, and a cable that unplugs.", 8_900, 50, HARD, &["full size", "compact"]),
    kind!("tents", "outdoor", "Tents", "Tent", "Stands in five minutes, also in the dark, and sheds wind on every side.", 24_900, 55, &["nylon", "polyester", "cotton"], &["1 person", "2 persons", "4 persons"]),
    kind!("shelves", "home", "Shelves", "Shelf", "Needs two screws, carries forty kilograms and hides both.", 4_900, 50, WOOD, &["60 cm", "80 cm", "120 cm"]),
    kind!("dumbbells", "sports", "Dumbbells", "Dumbbell Pair", "Coated, so that neither floor nor neighbour hears of it.", 5_400, 55, METAL, &["2 kg", "5 kg", "10 kg", "15 kg"]),
    kind!("drills", "tools", "Drills", "Cordless Drill", "Two batteries, twenty torque steps and a light where the hole will be.", 11_900, 45, HARD, &["12 V", "18 V"]),
    kind!("sleeping-bags", "outdoor", "Sleeping bags", "Sleeping Bag", "Keeps warm at the temperature it says, not ten degrees above.", 13_900, 50, &["down", "synthetic fill", "recycled fill"], &["regular", "long"]),
    kind!("coffee-grinders", "kitchen", "Coffee grinders", "Coffee Grinder", "Grinds evenly, from espresso to press, and wakes nobody.", 9_900, 60, METAL, ONE),
    kind!("office-chairs", "office", "Office chairs", "Office Chair", "Adjusts where it matters and stays where it was put.", 28_900, 50, &["mesh", "wool", "leather", "recycled polyester"], ONE),
    kind!("workbenches", "tools", "Workbenches", "Workbench", "Carries a quarter of a ton and folds against the wall.", 15_900, 45, WOOD, &["100 cm", "140 cm"]),
    kind!("loudspeakers", "electronics", "Loudspeakers", "Loudspeaker", "Fills a room without filling the next one.", 17_900, 70, WOOD, &["small", "large"]),
];

/// Best known first: the seed draws the front of the list more often.
pub(super) const BRANDS: [&str; 40] = [
    "Alder & Ash",
    "Brightwater",
    "Cobble",
    "Dunmore",
    "Eastfold",
    "Fernley",
    "Granite Works",
    "Harrow",
    "Ivory Lane",
    "Juniper",
    "Kestrel",
    "Larkspur",
    "Marlow",
    "Northmoor",
    "Oakhurst",
    "Pebble",
    "Quillon",
    "Redfern",
    "Saltmarsh",
    "Thornbury",
    "Umbra Fields",
    "Vale & Co",
    "Westering",
    "Yarrow",
    "Zephyr Hill",
    "Ashdown",
    "Birchall",
    "Calder",
    "Drayton",
    "Elmstead",
    "Foxglove",
    "Greywell",
    "Hollis",
    "Inglewood",
    "Kirkby",
    "Linden Row",
    "Mossley",
    "Netherby",
    "Ormond",
    "Penrose",
];

pub(super) const SERIES: [&str; 24] = [
    "Arc", "Basin", "Crest", "Drift", "Ember", "Fjord", "Glade", "Haven", "Isle", "Kite", "Loom", "Mesa", "Nook",
    "Orbit", "Pine", "Quarry", "Ridge", "Slate", "Tide", "Umber", "Vista", "Wren", "Yonder", "Zenith",
];

pub(super) const QUALITIES: [&str; 12] = [
    "Classic", "Everyday", "Compact", "Light", "Sturdy", "Travel", "Plain", "Fine", "Heavy", "Soft", "Recycled",
    "Original",
];

/// Common ones first.
pub(super) const COLOURS: [&str; 14] = [
    "black", "white", "grey", "blue", "green", "red", "beige", "navy", "brown", "yellow", "orange", "pink", "olive",
    "purple",
];
